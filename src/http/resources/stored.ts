import type { EntityProperty, FilterQuery, Platform, QueryOrderMap } from '@mikro-orm/core'
import type { Question, ScopedEntityManager, StoredRow, TenantRow } from '../../orm/index.ts'
import type { Field } from './fields.ts'
import type { Described } from './resource.ts'
import { shown, type View } from './view.ts'

interface Asked {
  /** Only these are read. */
  readonly names?: readonly string[]
  readonly where: FilterQuery<TenantRow>
  readonly orderBy?: QueryOrderMap<TenantRow>
  readonly limit: number
}

/**
 * The rows of a resource as they are stored. What is only shown needs no entity: the ORM says how a row is found and what its columns mean,
 * and the view is the same, for a fifth of the work.
 */
export class StoredRows {
  readonly #resource: Described
  readonly #columns: readonly { readonly name: string; readonly column: string; readonly read: (value: unknown) => unknown }[]
  readonly #names: readonly string[]
  #findingOne: ((tenantId: string, id: string) => Question) | undefined

  constructor(resource: Described, platform: Platform) {
    this.#resource = resource
    this.#names = resource.fields.map(({ name }) => name)
    const properties = resource.meta.properties as Record<string, EntityProperty>
    this.#columns = resource.fields.map(field => {
      const property = properties[field.name]!
      return { name: field.name, column: property.fieldNames[0]!, read: reader(property, field, platform) }
    })
  }

  /** All that a row shows. */
  view(row: StoredRow): View {
    const view: View = {}
    for (const { name, column, read } of this.#columns) {
      const value = row[column]
      view[name] = value === null || value === undefined ? null : read(value)
    }
    return view
  }

  async find(em: ScopedEntityManager, { names = this.#names, where, orderBy = {}, limit }: Asked): Promise<Question> {
    const builder = em.createQueryBuilder(this.#resource.entity, 'r').select(names as never)
    await builder
      .where(where as never)
      .orderBy(orderBy)
      .limit(limit)
      .applyFilters()
    return builder.toQuery()
  }

  /** Which is asked for most, always in the same words, so it is put into words only once. */
  async findOne(em: ScopedEntityManager, id: string, also: object = {}): Promise<Question> {
    if (Object.keys(also).length > 0) return this.find(em, { where: { ...also, id }, limit: 1 })
    const { tenantId } = em.boundScope as { tenantId: string }
    const found = this.#findingOne?.(tenantId, id)
    if (found) return found
    const question = await this.find(em, { where: { id }, limit: 1 })
    const { sql, params } = question
    if (id === tenantId || !params.includes(id) || !params.includes(tenantId)) return question
    const differs = new Map<unknown, 'tenantId' | 'id'>([
      [tenantId, 'tenantId'],
      [id, 'id'],
    ])
    const words = params.map(value => ({ value, from: differs.get(value) }))
    this.#findingOne = (tenant, one) => {
      const given = { tenantId: tenant, id: one }
      return { sql, params: words.map(({ value, from }) => (from ? given[from] : value)) }
    }
    return question
  }
}

function reader({ customType }: EntityProperty, { kind }: Field, platform: Platform): (value: unknown) => unknown {
  if (customType) return value => shown(customType.convertToJSValue(value, platform), kind)
  return kind === 'moment' ? value => new Date(value as string).toISOString() : value => shown(value, kind)
}
