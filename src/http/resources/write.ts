import { LockMode, type RequiredEntityData } from '@mikro-orm/core'
import { now } from '../../kernel/clock.ts'
import type { TenantRow } from '../../orm/index.ts'
import { history, NotRestorableError, restore } from '../../readers/index.ts'
import { ConditionFailedError, ConditionRequiredError, ResourceNotFoundError } from '../http.errors.ts'
import type { Work } from '../in-tenant.ts'
import type { Field } from './fields.ts'
import { ownOnly } from './read.ts'
import type { Described } from './resource.ts'
import { etagOf, isTagOf } from './view.ts'

type Body = Readonly<Record<string, unknown>>

/** A row that will be written when the unit of work is. */
export interface Created {
  readonly row: TenantRow
  readonly secrets?: Readonly<Record<string, string>>
}

export async function create(work: Work, { options, entity, given }: Described, body: Body): Promise<Created> {
  const { em } = work
  const made = options.create
    ? await options.create.run(work, body as never)
    : em.create(entity, storedIn(body, given) as RequiredEntityData<TenantRow>)
  return 'secrets' in made ? made : { row: made }
}

export async function change({ em }: Work, resource: Described, row: TenantRow, body: Body): Promise<TenantRow> {
  const changes = storedIn(body, resource.changed)
  resource.options.changing?.(row, changes)
  em.assign(row, changes as never)
  await em.flush()
  return row
}

/** A row to be changed, which nobody else changes until the transaction ends. */
export async function lockedIn(work: Work, resource: Described, id: string): Promise<TenantRow> {
  const own = await ownOnly(work, resource)
  const row = await work.em.findOne(resource.entity, { ...own, id: id.toLowerCase() }, { lockMode: LockMode.PESSIMISTIC_WRITE })
  if (!row) throw new ResourceNotFoundError(resource.name)
  return row
}

/** The same where it may be gone, or marked as deleted. */
export function lockedIfThere({ em }: Work, { entity }: Described, id: string): Promise<TenantRow | null> {
  return em.findOne(entity, { id: id.toLowerCase() }, { lockMode: LockMode.PESSIMISTIC_WRITE, filters: { live: false } })
}

/** Marked where its rows are only marked; it can be brought back either way. */
export async function remove({ em }: Work, resource: Described, row: TenantRow): Promise<void> {
  if (resource.isSoftDeleted) (row as TenantRow & { deletedAt?: Date | null }).deletedAt = now()
  else em.remove(row)
  await em.flush()
}

export async function bringBack(work: Work, resource: Described, id: string): Promise<TenantRow> {
  const { em } = work
  if (!resource.isSoftDeleted) {
    const subject = [resource.entity, id.toLowerCase()] as const
    if ((await history(em, subject, { limit: 1 })).length === 0) throw new ResourceNotFoundError(resource.name)
    const row = await restore(em, subject)
    await em.flush()
    return row
  }
  const row = (await em.findOne(resource.entity, { id: id.toLowerCase() }, { filters: { live: false } })) as
    | (TenantRow & { deletedAt?: Date | null })
    | null
  if (!row) throw new ResourceNotFoundError(resource.name)
  if (!row.deletedAt) throw new NotRestorableError(resource.meta.className, row.id, 'it is there')
  if (resource.options.restore) await resource.options.restore(work, row)
  else row.deletedAt = null
  await em.flush()
  return row
}

/**
 * Whoever changes something says which state of it they have seen (`If-Match`), so that nobody writes over what they don't know of. `*` says
 * that they don't care.
 */
export function requireMatch(header: string | undefined, row: TenantRow, resource: Described): void {
  if (header === undefined && resource.isVersioned) throw new ConditionRequiredError()
  refuseUnseen(header, row, resource)
}

/** The same where it needn't be said. What is gone is in no state that anybody could have seen. */
export function refuseUnseen(header: string | undefined, row: TenantRow | null, resource: Described): void {
  if (header === undefined) return
  const seen = header.split(',').map(tag => tag.trim())
  if (seen.includes('*') || (row && seen.some(tag => isTagOf(tag, etagOf(row, resource))))) return
  throw new ConditionFailedError()
}

function storedIn(body: Body, fields: readonly Field[]): Body {
  const given = fields.filter(({ name }) => body[name] !== undefined)
  return Object.fromEntries(given.map(field => [field.name, storedAs(field, body[field.name])]))
}

function storedAs({ kind, isBig }: Field, value: unknown): unknown {
  if (value === null) return null
  if (kind === 'moment') return new Date(value as string)
  if (kind === 'id') return (value as string).toLowerCase()
  return isBig ? BigInt(value as number) : value
}
