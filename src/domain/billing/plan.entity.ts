import { type EntitySchema, p } from '@mikro-orm/core'
import { globalEntity, Row } from '../../orm/index.ts'
import { type PlanType, planTypes } from '../organizations/index.ts'
import type { Limits } from './usage-metrics.ts'

/** What an organization can buy. A catalogue that the program keeps; nobody writes it at run time. */
export class Plan extends Row {
  declare key: PlanType
  declare name: string
  declare limits: Limits
  /** In minor units, by currency and interval: `{ EUR: { month: 4900 } }`. */
  declare prices: Readonly<Record<string, Readonly<Partial<Record<'month' | 'year', number>>>>>
}

export const PlanSchema: EntitySchema<Plan> = globalEntity({
  class: Plan,
  properties: {
    key: p.enum(planTypes).unique(),
    name: p.text(),
    limits: p.json<Limits>(),
    prices: p.json<Plan['prices']>(),
  },
  access: 'read',
})
