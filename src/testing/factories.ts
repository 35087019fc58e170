import { type EntityMetadata, type EntityProperty, ReferenceKind } from '@mikro-orm/core'
import { userActor } from '../context/index.ts'
import { Membership, Role, User } from '../entities.ts'
import { newId } from '../kernel/id.ts'
import { type Daybook, isTenantOwned, type ScopedEntityManager } from '../orm/index.ts'

export type RowData = Record<string, unknown>

/** Values that a check constraint asks for and metadata can't tell, by `Entity.property`; optional properties are left out without one. */
export type Examples = Readonly<Record<string, () => unknown>>

/** The example of an optional relation that shall point at a row of its own. */
export const related = Symbol('related')

/**
 * Makes one valid row of any entity in a tenant, from metadata alone: required properties by their type, required relations by rows of
 * their own. People whom the row refers to are one new person, in whose name it is made.
 */
export async function createRow(
  daybook: Daybook,
  tenant: string,
  meta: EntityMetadata,
  overrides: RowData = {},
  examples: Examples = {},
): Promise<RowData> {
  const person = newId()
  return daybook.transact({ tenant, actor: userActor(person) }, async em => {
    const data = { ...(await rowData(em, meta, person, examples)), ...overrides }
    em.create(meta.class, data as never)
    await em.flush()
    await admit(em, person)
    return data
  })
}

/** The data of a valid row, whose relations exist already. It is not written. */
export async function rowData(em: ScopedEntityManager, meta: EntityMetadata, person: string, examples: Examples = {}): Promise<RowData> {
  const data: RowData = { id: newId() }
  for (const prop of meta.props) {
    const example = examples[`${meta.className}.${prop.name}`]?.()
    if (example !== undefined && example !== related) data[prop.name] = example
    else if (example === related || needsValue(prop))
      data[prop.name] = prop.targetMeta ? await relatedId(em, prop.targetMeta, person, examples) : scalar(prop)
  }
  return data
}

async function relatedId(em: ScopedEntityManager, target: EntityMetadata, person: string, examples: Examples): Promise<string> {
  if (target.class === User) return ensurePerson(em, person)
  if (!isTenantOwned(target)) {
    const [any] = await em.find<{ id: string }>(target.class, {}, { limit: 1, orderBy: { id: 'asc' } })
    if (!any) throw new Error(`${target.className} has no row to refer to: it is a catalogue that migrations fill.`)
    return any.id
  }
  const data = await rowData(em, target, person, examples)
  em.create(target.class, data as never)
  await em.flush()
  return data.id as string
}

async function ensurePerson(em: ScopedEntityManager, id: string): Promise<string> {
  if (await em.findOne(User, id)) return id
  em.create(User, { id, email: `${id}@example.com` })
  await em.flush()
  return id
}

/** People are visible to a tenant as its members; in their own name they are before that. */
async function admit(em: ScopedEntityManager, person: string): Promise<void> {
  if ((await em.count(Membership, { user: person })) > 0 || !(await em.findOne(User, person))) return
  const role = em.create(Role, { key: `role-${newId()}`, name: 'Role of a test' })
  em.create(Membership, { user: em.getReference(User, person), role, joinedAt: new Date('2026-01-05T08:00:00Z') })
  await em.flush()
}

function needsValue(prop: EntityProperty): boolean {
  const filledIn = prop.onCreate ?? prop.default ?? prop.defaultRaw ?? prop.version ?? prop.formula
  const isColumn = prop.persist !== false && ![ReferenceKind.ONE_TO_MANY, ReferenceKind.MANY_TO_MANY].includes(prop.kind)
  return isColumn && !prop.primary && !prop.nullable && filledIn === undefined
}

function scalar(prop: EntityProperty): unknown {
  if (prop.items) return prop.items[0]
  const byType: Record<string, () => unknown> = {
    boolean: () => false,
    number: () => 1,
    bigint: () => 1n,
    Date: () => new Date('2026-01-05T08:00:00Z'),
    object: () => ({}),
    any: () => ({}),
    'string[]': () => [],
    Buffer: () => Buffer.alloc(1),
  }
  if (prop.columnTypes?.[0]?.endsWith('[]')) return []
  if (prop.columnTypes?.[0] === 'uuid') return newId()
  return (byType[prop.runtimeType] ?? (() => `value-${newId()}`))()
}
