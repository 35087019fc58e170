import assert from 'node:assert/strict'
import type { EntityClass, EntityMetadata } from '@mikro-orm/core'
import { userActor } from '../context/index.ts'
import { newId } from '../kernel/id.ts'
import { type Daybook, declarationOf, type ScopedEntityManager } from '../orm/index.ts'
import type { Examples } from './examples.ts'
import { createRow, rowData } from './factories.ts'
import type { RowData } from './row-data.ts'

export type Json = Record<string, unknown>
export type AnyEntity = { id: string; tenantId: string }

/** What the cases of one entity work with: two tenants that have a row each, and eyes that see either one's rows as they are stored. */
export interface Ground {
  readonly daybook: Daybook
  readonly meta: EntityMetadata
  readonly entity: EntityClass<AnyEntity>
  readonly table: string
  readonly own: Side
  readonly other: Side
  /** Where rows are private, a row of the own tenant that is another person's. */
  readonly colleague: Side | undefined
  /** An EntityManager of the own tenant, fresh. */
  readonly em: () => ScopedEntityManager
  /** Runs `work` in the own tenant, in one transaction. */
  readonly inside: <T>(work: (em: ScopedEntityManager) => Promise<T>) => Promise<T>
  /** The data of a further valid row of the own tenant, not written. */
  readonly newData: (em: ScopedEntityManager) => Promise<RowData>
  /** A further row of the own tenant as the database would have it; what it points at is there. */
  readonly newJson: () => Promise<Json>
  /** Whether the application may change and delete such rows at all. */
  readonly mayRewrite: boolean
}

export interface Side {
  readonly tenant: string
  readonly id: string
  /** Whose the row is, where nobody else sees it. */
  readonly owner: string | undefined
  readonly stored: () => Promise<Json>
}

export async function prepareGround(daybook: Daybook, meta: EntityMetadata, examples: Examples): Promise<Ground> {
  const [own, other] = [await side(daybook, meta, examples), await side(daybook, meta, examples)]
  const colleague = own.owner === undefined ? undefined : await side(daybook, meta, examples, own.tenant)
  const person = own.owner ?? newId()
  const scope = { tenant: own.tenant, actor: userActor(person) }
  const inside: Ground['inside'] = work => daybook.transact(scope, work)
  return {
    daybook,
    meta,
    entity: meta.class as EntityClass<AnyEntity>,
    table: `"${meta.tableName}"`,
    own,
    other,
    colleague,
    em: () => daybook.scope(scope),
    inside,
    newData: em => rowData(em, meta, person, examples),
    newJson: () => inside(async em => undoneRow(em, meta, await rowData(em, meta, person, examples))),
    mayRewrite: declarationOf(meta.class)!.access === 'write',
  }
}

/** A hostile write is refused or reaches nothing; either way the other tenant's row is as it was. */
export async function leavesOtherAlone({ other }: Ground, attempt: () => Promise<unknown>): Promise<void> {
  const before = await other.stored()
  await attempt()
  assert.deepEqual(await other.stored(), before, 'somebody else’s row has changed')
}

async function side(daybook: Daybook, meta: EntityMetadata, examples: Examples, tenant = newId()): Promise<Side> {
  const row = await createRow(daybook, tenant, meta, {}, examples)
  const id = row.id as string
  const owner = row[declarationOf(meta.class)!.privateTo ?? ''] as string | undefined
  const watcher = { tenant, actor: userActor(owner ?? newId()) }
  return { tenant, id, owner, stored: () => daybook.transact(watcher, em => storedRow(em, meta, id)) }
}

class Undone extends Error {
  readonly json: Json

  constructor(json: Json) {
    super('This row was only looked at.')
    this.json = json
  }
}

async function undoneRow(em: ScopedEntityManager, meta: EntityMetadata, data: RowData): Promise<Json> {
  const attempt = em.transactional(async inner => {
    inner.create(meta.class, data as never)
    await inner.flush()
    throw new Undone(withoutGenerated(meta, await storedRow(inner, meta, data.id as string)))
  })
  return attempt.catch((error: unknown) => {
    if (error instanceof Undone) return error.json
    throw error
  })
}

/** What the database makes by itself nobody may insert. */
function withoutGenerated(meta: EntityMetadata, row: Json): Json {
  const generated = new Set(meta.props.filter(prop => prop.generated).flatMap(prop => prop.fieldNames))
  return Object.fromEntries(Object.entries(row).filter(([column]) => !generated.has(column)))
}

async function storedRow(em: ScopedEntityManager, meta: EntityMetadata, id: string): Promise<Json> {
  const [row] = await em.execute<{ json: Json }[]>(`select to_jsonb(t) as json from "${meta.tableName}" t where id = ?`, [id])
  assert.ok(row, `${meta.className} ${id} is gone`)
  return row.json
}
