import { type EntitySchema, type Opt, p, type Ref } from '@mikro-orm/core'
import { moment, tenantEntity, TenantRow } from '../../orm/index.ts'
import { Automation } from './automation.entity.ts'
import {
  type AutomationTriggerKind,
  automationTriggerKinds,
  nextFireAt,
  type ScheduleConfig,
  type TriggerConfig,
} from './automation-definition.ts'

/** What starts an automation: a time, an event in the log, a call from outside, or somebody. */
export class WorkflowTrigger extends TenantRow {
  declare automation: Ref<Automation>
  declare type: AutomationTriggerKind
  declare config: Opt<TriggerConfig>
  declare isActive: Opt<boolean>
  declare lastFiredAt?: Date | null
  /** Of a schedule. */
  declare nextFireAt?: Date | null

  fired(at: Date): void {
    this.lastFiredAt = at
    this.schedule(at)
  }

  /** However often it came due while nobody looked, it is done once and goes on from there. */
  schedule(after: Date): void {
    this.nextFireAt = this.type === 'SCHEDULE' ? (nextFireAt(this.config as ScheduleConfig, after) ?? null) : null
  }
}

export const WorkflowTriggerSchema: EntitySchema<WorkflowTrigger> = tenantEntity({
  class: WorkflowTrigger,
  properties: {
    automation: () => p.manyToOne(Automation).ref().deleteRule('cascade'),
    type: p.enum(automationTriggerKinds),
    config: p
      .json<TriggerConfig>()
      .onCreate(() => ({}))
      .defaultRaw(`'{}'`),
    isActive: p.boolean().default(true),
    lastFiredAt: moment().nullable(),
    nextFireAt: moment().nullable(),
  },
  indexes: [{ properties: ['type', 'isActive'] }, { properties: ['nextFireAt'] }],
})
