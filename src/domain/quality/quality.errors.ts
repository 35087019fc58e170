import { DaybookError } from '../../kernel/error.ts'

export class ProjectInactiveError extends DaybookError {
  readonly code = 'quality.project_inactive'

  constructor(slug: string, status: string) {
    super(`Project ${slug} is ${status}, so nothing new is recorded for it. Reactivate it first.`, { slug, status })
  }
}
