import { type EntitySchema, type Opt, p, type Ref } from '@mikro-orm/core'
import { moment, tenantEntity, TenantRow } from '../../orm/index.ts'
import { Campaign } from './campaign.entity.ts'
import { Prospect } from './prospect.entity.ts'

export const stopReasons = ['COMPLETED', 'REPLIED', 'BOUNCED', 'WON', 'LOST', 'DELETED'] as const
export type StopReason = (typeof stopReasons)[number]

/** Where a prospect stands in a campaign's sequence, and when the next message is due. */
export class CampaignEnrollment extends TenantRow {
  declare campaign: Ref<Campaign>
  declare prospect: Ref<Prospect>
  /** The position of the step that comes next. */
  declare nextStep: Opt<number>
  declare nextAt: Date
  declare stoppedAt?: Date | null
  declare stopReason?: StopReason | null

  /** The first reason stands. */
  stop(reason: StopReason, at: Date): void {
    if (this.stoppedAt) return
    this.stoppedAt = at
    this.stopReason = reason
  }
}

export const CampaignEnrollmentSchema: EntitySchema<CampaignEnrollment> = tenantEntity({
  class: CampaignEnrollment,
  properties: {
    campaign: () => p.manyToOne(Campaign).ref().deleteRule('cascade'),
    prospect: () => p.manyToOne(Prospect).ref().deleteRule('cascade'),
    nextStep: p.integer().default(1),
    nextAt: moment(),
    stoppedAt: moment().nullable(),
    stopReason: p.enum(stopReasons).nullable(),
  },
  uniques: [{ properties: ['campaign', 'prospect'] }],
  indexes: [{ properties: ['nextAt'], where: 'stopped_at is null' }],
  checks: [
    { name: 'campaign_enrollment_next_step', expression: 'next_step > 0' },
    { name: 'campaign_enrollment_stopped', expression: '(stopped_at is null) = (stop_reason is null)' },
  ],
  immutable: ['campaign', 'prospect'],
})
