import { DaybookError } from '../kernel/error.ts'

export class JobBlindError extends DaybookError {
  readonly code = 'job.blind'

  constructor(job: string, tenant: string, due: number) {
    super(
      `Job ${job} found nothing to do for tenant ${tenant}, where an operator sees ${due}. Its scope or a policy hides the rows; compare with \`npx mikro-orm migration:check\`.`,
      { job, tenant, due },
    )
  }
}
