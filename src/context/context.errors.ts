import { DaybookError } from '../kernel/error.ts'

export class ScopeInvalidError extends DaybookError {
  readonly code = 'scope.invalid'

  constructor(property: string, expected: string) {
    super(`A scope needs \`${property}\` to be ${expected}.`, { property })
  }
}

export class TenantContextMissingError extends DaybookError {
  readonly code = 'tenancy.context_missing'

  constructor(subject: string, operation: string, options?: ErrorOptions) {
    super(
      `${subject} belongs to a tenant, and this ${operation} ran without one. ` +
        'Work through daybook.scope({ tenant, actor }) or daybook.transact({ tenant, actor }, async em => …).',
      { subject, operation },
      options,
    )
  }
}
