import { DaybookError } from '../kernel/error.ts'

export class PaginationInvalidError extends DaybookError {
  readonly code = 'helpers.pagination_invalid'

  constructor(problems: readonly string[]) {
    super(`No page can be read like this: ${problems.join('; ')}.`, { problems })
  }
}

export class NotSoftDeletableError extends DaybookError {
  readonly code = 'helpers.not_soft_deletable'

  constructor(entity: string) {
    super(
      `${entity} has no deletedAt, so deleting one is for good: use em.remove. Declare the entity with \`softDelete: true\` to keep what is deleted.`,
      { entity },
    )
  }
}
