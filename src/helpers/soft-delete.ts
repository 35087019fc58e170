import type { EntityName } from '@mikro-orm/core'
import { Prospect, restoreProspect } from '../entities.ts'
import { now } from '../kernel/clock.ts'
import type { Row, ScopedEntityManager } from '../orm/index.ts'
import { NotSoftDeletableError } from './helpers.errors.ts'

/** An entity, or the way to one. */
export type SoftDeletable<T extends Row> = T | readonly [type: new () => T, id: string]

/** Classes that know more about their end than a date bring methods of their own. */
interface Marked extends Row {
  deletedAt?: Date | null
  status?: string
  softDelete?(at: Date): void
  restore?(): void
}

/** Marks a row as deleted and writes that; queries don't show it any more, and retention removes it some day. */
export async function softDelete<T extends Row>(em: ScopedEntityManager, subject: SoftDeletable<T>, at: Date = now()): Promise<T> {
  return mark(em, subject, async row => {
    if (row.softDelete) row.softDelete(at)
    else row.deletedAt ??= at
  })
}

/** Brings back what `softDelete` has marked. What was removed from its table comes back by the `restore` of the log. */
export async function restore<T extends Row>(em: ScopedEntityManager, subject: SoftDeletable<T>): Promise<T> {
  return mark(em, subject, async row => {
    if (row instanceof Prospect) await restoreProspect(em, row)
    else if (row.restore) row.restore()
    else row.deletedAt = null
  })
}

/** The condition, for rows that aren't deleted: for entities without the filter `live`, and for queries that switch it off. */
export function withSoftDelete<W extends object>(where: W): W & { deletedAt: null } {
  return { ...where, deletedAt: null }
}

async function mark<T extends Row>(em: ScopedEntityManager, subject: SoftDeletable<T>, change: (row: Marked) => Promise<void>): Promise<T> {
  const entity = isPath(subject) ? await find(em, subject) : subject
  const row: Marked = entity
  if (!em.getMetadata().find(entity.constructor as EntityName)?.properties['deletedAt' as never]) {
    throw new NotSoftDeletableError(entity.constructor.name)
  }
  const { deletedAt = null, status } = row
  try {
    await change(row)
    await em.flush()
  } catch (error) {
    Object.assign(row, { deletedAt, ...(status !== undefined && { status }) })
    throw error
  }
  return entity
}

function find<T extends Row>(em: ScopedEntityManager, [type, id]: readonly [new () => T, string]): Promise<T> {
  return em.findOneOrFail(type, { id }, { filters: { live: false } })
}

function isPath<T extends Row>(subject: SoftDeletable<T>): subject is readonly [new () => T, string] {
  return Array.isArray(subject)
}
