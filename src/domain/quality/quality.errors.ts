import { DaybookError } from '../../kernel/error.ts'

export class ProjectInactiveError extends DaybookError {
  readonly code = 'quality.project_inactive'

  constructor(slug: string, status: string) {
    super(`Project ${slug} is ${status}, so nothing new is recorded for it. Reactivate it first.`, { slug, status })
  }
}

export class SignatureElsewhereError extends DaybookError {
  readonly code = 'quality.signature_elsewhere'

  constructor(signature: string, project: string) {
    super(`Error ${signature} was seen in another project than ${project}, whose chain can't attest its fix. Attest it there.`, {
      signature,
      project,
    })
  }
}
