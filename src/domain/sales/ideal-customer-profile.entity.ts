import { type EntitySchema, type Opt, p } from '@mikro-orm/core'
import { tenantEntity, TenantRow } from '../../orm/index.ts'

/** What is looked for in a prospect whoever looks. What else a profile asks for it names itself, in `criteria`. */
export const builtinCriteria = ['industry', 'region', 'companySize', 'completeness', 'engagement'] as const

/** By attribute of a prospect's `data`: the values that are wanted. */
export type Criteria = Readonly<Record<string, readonly (string | number | boolean)[]>>

/** By criterion, how much it counts beside the others. */
export type Weights = Readonly<Record<string, number>>

/** Whom an organization would like to have as a customer, and how much each trait counts. */
export class IdealCustomerProfile extends TenantRow {
  declare name: string
  declare industry?: string | null
  declare sizeMin?: number | null
  declare sizeMax?: number | null
  declare regions: Opt<string[]>
  declare criteria: Opt<Criteria>
  declare weights: Weights
  declare version: Opt<number>
}

export const IdealCustomerProfileSchema: EntitySchema<IdealCustomerProfile> = tenantEntity({
  class: IdealCustomerProfile,
  properties: {
    name: p.text(),
    industry: p.text().nullable(),
    sizeMin: p.integer().nullable(),
    sizeMax: p.integer().nullable(),
    regions: p
      .array()
      .onCreate(() => [])
      .defaultRaw(`'{}'`),
    criteria: p
      .json<Criteria>()
      .onCreate(() => ({}))
      .defaultRaw(`'{}'`),
    weights: p.json<Weights>(),
    version: p.integer().version(),
  },
  uniques: [{ properties: ['name'] }],
  checks: [
    { name: 'ideal_customer_profile_size', expression: 'size_min >= 0 and size_max >= 0 and size_min <= size_max' },
    // A weight that is no number makes the comparison unknown, which is not false.
    {
      name: 'ideal_customer_profile_weights',
      expression: `jsonb_typeof(weights) = 'object' and jsonb_path_match(weights, '$.* < 0') is false and jsonb_path_match(weights, '$.* > 0') is true`,
    },
  ],
})
