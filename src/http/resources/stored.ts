import type { EntityProperty, FilterQuery, Platform, QueryOrderMap } from '@mikro-orm/core'
import { instantIn } from '../../kernel/instant.ts'
import type { Question, ScopedEntityManager, StoredRow, TenantRow } from '../../orm/index.ts'
import type { Looking } from '../in-tenant.ts'
import type { Field } from './fields.ts'
import type { Described } from './resource.ts'
import { shown, type View } from './view.ts'

interface Asked {
  readonly where: FilterQuery<TenantRow>
  readonly orderBy?: QueryOrderMap<TenantRow>
  readonly limit: number
  /** Only these are read. */
  readonly names?: readonly string[]
}

/** Puts a question for another tenant, and another row, into the same words. */
type Phrase = (given: Given) => Question

interface Given {
  readonly tenantId: string
  readonly id?: string
}

/** How many shapes of queries are kept. */
const remembered = 100

/**
 * The rows of a resource as they are stored. What is only shown needs no entity: the ORM says how a row is found and what its columns mean,
 * and the view is the same, for a fifth of the work.
 */
export class StoredRows {
  readonly #resource: Described
  readonly #columns: readonly { readonly name: string; readonly column: string; readonly read: Read | undefined }[]
  readonly #phrases = new Map<string, Phrase>()

  constructor(resource: Described, platform: Platform) {
    this.#resource = resource
    const properties = resource.meta.properties as Record<string, EntityProperty>
    this.#columns = resource.fields.map(field => {
      const property = properties[field.name]!
      return { name: field.name, column: property.fieldNames[0]!, read: readerOf(property, field, platform) }
    })
  }

  /** All that a row shows. */
  view(row: StoredRow): View {
    const view: View = {}
    for (const { name, column, read } of this.#columns) {
      const value = row[column]
      view[name] = value === null || value === undefined ? null : read ? read(value) : value
    }
    return view
  }

  /** One by its id; `own` narrows what is found. */
  findOne(work: Looking, id: string, own: object): Promise<Question> {
    return this.#ask(work, { where: { ...own, id }, limit: 1 }, isEmpty(own) ? 'one' : undefined, id)
  }

  find(work: Looking, asked: Asked, isAll: boolean): Promise<Question> {
    return this.#ask(work, asked, isAll ? JSON.stringify(asked) : undefined)
  }

  /** What is asked for again and again is put into words once: `words` tells apart what differs in more than the tenant and the row. */
  async #ask(work: Looking, asked: Asked, words: string | undefined, id?: string): Promise<Question> {
    const given = { tenantId: work.organization.id, ...(id !== undefined && { id }) }
    const known = words === undefined ? undefined : this.#phrases.get(words)
    if (known) return known(given)
    const question = await this.#inWords(work.em, asked)
    const phrase = words !== undefined && this.#phrases.size < remembered && phraseOf(question, given)
    if (phrase) this.#phrases.set(words, phrase)
    return question
  }

  async #inWords(em: ScopedEntityManager, { where, orderBy = {}, limit, names }: Asked): Promise<Question> {
    const columns = names ?? this.#columns.map(({ name }) => name)
    const builder = em.createQueryBuilder(this.#resource.entity, 'r').select(columns as never)
    await builder
      .where(where as never)
      .orderBy(orderBy)
      .limit(limit)
      .applyFilters()
    return builder.toQuery()
  }
}

function phraseOf({ sql, params }: Question, given: Given): Phrase | undefined {
  const places = params.map(value => (Object.keys(given) as (keyof Given)[]).find(name => given[name] === value))
  const isClear = given.tenantId !== given.id && Object.keys(given).every(name => places.includes(name as keyof Given))
  return isClear ? other => ({ sql, params: params.map((value, index) => (places[index] ? other[places[index]] : value)) }) : undefined
}

const isEmpty = (object: object) => Object.keys(object).length === 0

type Read = (value: unknown) => unknown

/** How a column's value becomes JSON; nothing where it is already. */
function readerOf({ customType }: EntityProperty, { kind }: Field, platform: Platform): Read | undefined {
  if (kind === 'moment') return value => instantIn(value as string)
  if (kind === 'id') return undefined
  if (customType) return value => shown(customType.convertToJSValue(value, platform), kind)
  return kind === 'integer' || kind === 'number' ? Number : undefined
}
