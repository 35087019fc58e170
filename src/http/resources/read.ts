import type { EntityMetadata, FilterQuery } from '@mikro-orm/core'
import { keyringOf } from '../../audit/index.ts'
import type { Keyring } from '../../kernel/keyring.ts'
import { User } from '../../domain/identity/index.ts'
import type { ScopedEntityManager, StoredRow, TenantRow } from '../../orm/index.ts'
import { asOf } from '../../readers/index.ts'
import { ResourceNotFoundError } from '../http.errors.ts'
import type { Look, Looking, Work } from '../in-tenant.ts'
import { userView } from '../views.ts'
import { cursorAt, positionIn } from './cursor.ts'
import type { Field } from './fields.ts'
import { behind, conditionsIn, invalidQuery, type ListQuery, type ListShape, orderBy, orderIn } from './list-query.ts'
import { type Described, permissionFor } from './resource.ts'
import type { StoredRows } from './stored.ts'
import { etagOf, etagShowing, type View, viewOf } from './view.ts'

/** All resources of the host, by their entity: what a relation shows as a whole is what its own resource shows. */
export type Known = ReadonlyMap<unknown, Described>

/** What of a row the caller gets to see. */
export interface Selection {
  readonly fields: readonly Field[]
  readonly populate: readonly Populated[]
  /** Others see more of it, or it shows more than the row: then it can change, and the row doesn't. */
  readonly isMoreOrLess: boolean
}

/** A relation that is shown as a whole, with what of it the caller gets to see. */
interface Populated extends Field {
  readonly shown: readonly Field[]
}

export type May = (permission: string) => Promise<boolean>

/** Fields for those alone who may do more are left out for everybody else, also when they are asked for by name. */
export async function selectionIn(resource: Described, query: ListQuery, known: Known, may: May): Promise<Selection> {
  const visible = await visibleFields(resource, may)
  const byName = (name: string, parameter: string) => {
    const field = visible.find(each => each.name === name)
    if (!field) throw invalidQuery(parameter, `there is no field ${name} to show`)
    return field
  }
  const fields = typeof query.fields === 'string' ? query.fields.split(',').map(name => byName(name, 'fields')) : visible
  const relations = typeof query.populate === 'string' ? query.populate.split(',').map(name => byName(name, 'populate')) : []
  if (relations.length > 3) throw invalidQuery('populate', 'shows at most three relations')
  refuseHiddenQuestions(resource, visible, query)
  const populate: Populated[] = []
  for (const field of relations) populate.push(await populated(field, known, may))
  const isMoreOrLess = populate.length > 0 || visible.length < resource.fields.length
  return { fields: withId(fields, visible), populate, isMoreOrLess }
}

/** Whoever may not see a field may not look for its values either, which would tell them one by one. */
function refuseHiddenQuestions({ fields }: Described, visible: readonly Field[], query: ListQuery): void {
  const hidden = new Set(fields.filter(field => !visible.includes(field)).map(({ name }) => name))
  for (const asked of Object.keys(query)) if (hidden.has(asked.split('.', 1)[0]!)) throw invalidQuery(asked, 'is no field that you see')
  if (hidden.has(orderIn(query).name)) throw invalidQuery('sort', 'is no field that you see')
}

async function populated(field: Field, known: Known, may: May): Promise<Populated> {
  const { name, relation } = field
  const permission = relation && permissionToSee(relation, known)
  if (!permission) throw invalidQuery('populate', `${name} is no relation that can be shown`)
  if (!(await may(permission))) throw invalidQuery('populate', `${name} needs the permission ${permission}`)
  const target = known.get(relation.class)
  return { ...field, shown: target ? await visibleFields(target, may) : [] }
}

export async function visibleFields(resource: Described, may: May): Promise<readonly Field[]> {
  const reserved = Object.entries(resource.options.reserved ?? {}) as [string, string | readonly string[]][]
  const barred = new Set<string>()
  for (const [name, needed] of reserved) {
    for (const each of [needed].flat()) if (!(await may(each.includes(':') ? each : `${resource.name}:${each}`))) barred.add(name)
  }
  return barred.size > 0 ? resource.fields.filter(({ name }) => !barred.has(name)) : resource.fields
}

function withId(fields: readonly Field[], visible: readonly Field[]): readonly Field[] {
  return fields.some(({ name }) => name === 'id') ? fields : [visible.find(({ name }) => name === 'id')!, ...fields]
}

function permissionToSee(relation: EntityMetadata, known: Known): string | undefined {
  if (relation.class === User) return 'membership:read'
  const target = known.get(relation.class)
  // What is one person's is shown as a whole to those alone who see everybody's.
  return target && permissionFor(target, target.options.own === undefined ? 'read' : 'manage')
}

export interface Page {
  readonly items: View[]
  readonly next: string | null
}

interface Listed {
  readonly shape: ListShape
  readonly query: ListQuery
  readonly selection: Selection
}

export async function list(work: Work, resource: Described, listed: Listed): Promise<Page> {
  const { selection, query } = listed
  const { asked, order, pageOf } = await paging(work, resource, listed)
  const { where, ...options } = asked
  const rows = await seenAt(work.em, query.asOf).find(resource.entity, where, { ...options, ...selected(resource, selection, order.name) })
  return pageOf(rows.map(row => ({ view: viewWith(row, selection), values: row as unknown as View })))
}

/** The same of stored rows: a question, and the page that its answer makes. */
export async function lookForMany(work: Looking, resource: Described, stored: StoredRows, listed: Listed): Promise<Look<Page>> {
  const { asked, order, isAll, pageOf } = await paging(work, resource, listed)
  const names = [...new Set([...listed.selection.fields.map(({ name }) => name), order.name])]
  return {
    question: await stored.find(work, { ...asked, names }, isAll),
    show: rows => pageOf(rows.map(row => storedView(stored, row, listed.selection, resource))),
  }
}

export async function lookForOne(
  work: Looking,
  resource: Described,
  stored: StoredRows,
  { id, selection }: { readonly id: string; readonly selection: Selection },
): Promise<Look<Seen>> {
  return {
    question: await stored.findOne(work, id.toLowerCase(), await ownOnly(work, resource)),
    show: ([row]) => {
      if (!row) throw new ResourceNotFoundError(resource.name)
      return storedView(stored, row, selection, resource)
    },
  }
}

/** What is shown of a row, and all that it holds. */
interface Seen {
  readonly view: View
  readonly values: View
}

function storedView(stored: StoredRows, row: StoredRow, { fields }: Selection, resource: Described): Seen {
  const values = stored.view(row)
  const isWhole = fields.length === resource.fields.length
  return { values, view: isWhole ? values : Object.fromEntries(fields.map(({ name }) => [name, values[name]])) }
}

/** What a list asks for, and how it goes on behind its last row. */
async function paging(work: Looking, resource: Described, { shape, query }: Listed) {
  const shownRows = Number(query.limit ?? 50)
  const order = orderIn(query)
  const question = { tenantId: work.organization.id, of: resource.name, ...query, limit: null, after: null, fields: null, populate: null }
  const keyring = await keyringIn(work.em)
  const conditions = [...conditionsIn(query, shape), await ownOnly(work, resource)]
  if (typeof query.after === 'string') {
    conditions.push(behind(order, fromCursor(resource, order.name, positionIn(query.after, keyring, question))))
  }
  return {
    order,
    /** Whether it is the beginning of a list from which nothing is left out. */
    isAll: conditions.every(condition => Object.keys(condition).length === 0),
    // One more than is shown, which tells whether there is more.
    asked: { where: { $and: conditions } as FilterQuery<TenantRow>, orderBy: orderBy(order), limit: shownRows + 1 },
    pageOf: (rows: readonly Seen[]): Page => {
      const last = rows.length > shownRows ? rows[shownRows - 1] : undefined
      return {
        items: rows.slice(0, shownRows).map(({ view }) => view),
        next: last ? cursorAt(positionOf(last.values, order.name), keyring, question) : null,
      }
    },
  }
}

/** Only own columns of what is there now can be shown as they are stored. */
export function isStored({ asOf: moment, populate }: ListQuery): boolean {
  return moment === undefined && populate === undefined
}

export async function findIn(
  work: Work,
  resource: Described,
  id: string,
  { selection, moment }: { selection?: Selection; moment?: ListQuery[string] } = {},
): Promise<TenantRow> {
  const own = await ownOnly(work, resource)
  const row = await seenAt(work.em, moment).findOne(
    resource.entity,
    { ...own, id: id.toLowerCase() },
    {
      ...(selection && { populate: selection.populate.map(({ name }) => name) as never }),
    },
  )
  if (!row) throw new ResourceNotFoundError(resource.name)
  return row
}

/** Where each belongs to a person, those of whoever asks. */
export async function ownOnly({ user, may }: Pick<Work, 'user' | 'may'>, { name, options: { own } }: Described): Promise<object> {
  return own === undefined || (await may(`${name}:manage`)) ? {} : { [own]: user?.id ?? null }
}

export function viewWith(row: TenantRow, { fields, populate }: Selection): View {
  const view = viewOf(row, fields)
  for (const { name, relation, shown } of populate) {
    const target = (row as unknown as Record<string, { unwrap(): TenantRow } | null>)[name]?.unwrap()
    if (target) view[name] = relation!.class === User ? userView(target as unknown as User) : viewOf(target, shown)
  }
  return view
}

/** The tag of what is shown of a row. */
export function etagFor(row: TenantRow | View, view: View, resource: Described, { isMoreOrLess }: Selection): string {
  const ofRow = etagOf(row, resource)
  return isMoreOrLess ? etagShowing(view, ofRow) : ofRow
}

function seenAt(em: ScopedEntityManager, moment: ListQuery[string]): ScopedEntityManager {
  return moment === undefined ? em : asOf(em, new Date(String(moment)))
}

/** Only what is shown is read, where less than all of it was asked for. */
function selected({ fields }: Described, selection: Selection, sort: string) {
  const populate = selection.populate.map(({ name }) => name)
  if (selection.fields.length >= fields.length || populate.length > 0) return { populate: populate as never }
  return { fields: [...new Set([...selection.fields.map(({ name }) => name), sort, 'id', 'tenantId'])] as never }
}

function positionOf(values: View, sort: string) {
  const id = values.id as string
  if (sort === 'id') return { id }
  const value = values[sort] ?? null
  return { id, value: value instanceof Date ? value.toISOString() : (value as string | number | boolean | null) }
}

function fromCursor({ fields }: Described, sort: string, { id, value }: ReturnType<typeof positionIn>) {
  const isMoment = fields.find(({ name }) => name === sort)!.kind === 'moment'
  return { id, ...(value !== undefined && { value: isMoment && value !== null ? (new Date(String(value)) as never) : value }) }
}

async function keyringIn(em: ScopedEntityManager): Promise<Keyring> {
  return keyringOf(em)!()
}
