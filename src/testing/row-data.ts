import { type EntityMetadata, type EntityProperty, ReferenceKind } from '@mikro-orm/core'
import { Membership, Role, User } from '../entities.ts'
import { newId } from '../kernel/id.ts'
import { declarationOf, isTenantOwned, type ScopedEntityManager } from '../orm/index.ts'
import { type Examples, productExamples, related } from './examples.ts'

export type RowData = Record<string, unknown>

/** In whose name rows are made, and with which values where metadata isn't enough. */
export interface Making {
  readonly person: string
  /** Of one's own entities; the product's are known. */
  readonly examples?: Examples
  /** Another number for each row. */
  readonly nextRow?: () => number
}

/** In whose name a row is made: what is private to somebody in theirs, and everything else in a new person's. */
export function personFor(meta: EntityMetadata, overrides: RowData): string {
  const owner = overrides[declarationOf(meta.class)?.privateTo ?? '']
  const id = typeof owner === 'object' && owner !== null && 'id' in owner ? owner.id : owner
  return typeof id === 'string' ? id : newId()
}

let rows = 0
const countUp = () => ++rows

/** The data of a valid row, whose relations exist already. It is not written. */
export async function dataFor(em: ScopedEntityManager, meta: EntityMetadata, making: Making, overrides: RowData = {}): Promise<RowData> {
  const { examples = {}, nextRow = countUp } = making
  const row = nextRow()
  const data: RowData = { id: newId() }
  for (const prop of meta.props) {
    if (prop.name in overrides) continue
    const name = `${meta.className}.${prop.name}`
    const example = (examples[name] ?? productExamples[name])?.(row)
    if (example !== undefined && example !== related) data[prop.name] = example
    else if (example === related || needsValue(prop))
      data[prop.name] = prop.targetMeta ? await relatedId(em, prop.targetMeta, making) : scalar(prop)
  }
  return { ...data, ...overrides }
}

async function relatedId(em: ScopedEntityManager, target: EntityMetadata, making: Making): Promise<string> {
  if (target.class === User) return ensurePerson(em, making.person)
  if (!isTenantOwned(target)) {
    const [any] = await em.find<{ id: string }>(target.class, {}, { limit: 1, orderBy: { id: 'asc' } })
    if (!any) throw new Error(`${target.className} has no row to refer to: it is a catalogue that migrations fill.`)
    return any.id
  }
  const data = await dataFor(em, target, making)
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
export async function admit(em: ScopedEntityManager, person: string): Promise<void> {
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
