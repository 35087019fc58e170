import { type EntityManager, type EntitySchema, type Opt, p, type Ref } from '@mikro-orm/core'
import { now } from '../../kernel/clock.ts'
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

/** What it missed while it was off stays missed, whoever switches it on, and by whatever route. */
function nextTime(trigger: WorkflowTrigger, em: EntityManager): Date {
  const was = em.getUnitOfWork().getOriginalEntityData(trigger)
  if (trigger.isActive && was?.isActive === false) trigger.schedule(now())
  // A builder knows of no value that may be missing.
  return trigger.nextFireAt as Date
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
    nextFireAt: moment().onUpdate(nextTime).nullable(),
  },
  indexes: [{ properties: ['type', 'isActive'] }, { properties: ['nextFireAt'] }],
})
