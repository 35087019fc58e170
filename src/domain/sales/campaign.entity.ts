import { type EntitySchema, type Opt, p, type Ref } from '@mikro-orm/core'
import { nextState, type Transitions } from '../../kernel/transitions.ts'
import { moment, refused, tenantEntity, TenantRow } from '../../orm/index.ts'
import { EmailSequence } from './email-sequence.entity.ts'
import { IdealCustomerProfile } from './ideal-customer-profile.entity.ts'
import { CampaignUndatedError } from './sales.errors.ts'

export const campaignStatuses = ['DRAFT', 'SCHEDULED', 'RUNNING', 'PAUSED', 'DONE'] as const
export type CampaignStatus = (typeof campaignStatuses)[number]

export const campaignTransitions: Transitions<CampaignStatus> = {
  DRAFT: ['SCHEDULED', 'RUNNING'],
  SCHEDULED: ['DRAFT', 'RUNNING', 'DONE'],
  RUNNING: ['PAUSED', 'DONE'],
  PAUSED: ['RUNNING', 'DONE'],
  DONE: [],
}

/** How far a campaign's messages came. Each number holds those behind it: what was opened was delivered, and what was delivered was sent. */
export interface CampaignStats {
  readonly enrolled: number
  readonly stopped: number
  readonly queued: number
  readonly sent: number
  readonly delivered: number
  readonly opened: number
  readonly replied: number
  readonly bounced: number
  readonly failed: number
}

/** A sequence that is sent to the prospects who are enrolled in it, each at their own pace. */
export class Campaign extends TenantRow {
  declare name: string
  declare sequence: Ref<EmailSequence>
  declare icp?: Ref<IdealCustomerProfile> | null
  declare status: Opt<CampaignStatus>
  declare startsAt?: Date | null
  declare endsAt?: Date | null
  /** As `campaignStats` last counted them. */
  declare stats: Opt<Partial<CampaignStats>>
  declare version: Opt<number>

  /** It begins by itself at `startsAt`. */
  schedule(): void {
    if (!this.startsAt) throw new CampaignUndatedError()
    this.become('SCHEDULED')
  }

  unschedule(): void {
    this.become('DRAFT')
  }

  /** Also goes on after a pause. */
  run(): void {
    this.become('RUNNING')
  }

  pause(): void {
    this.become('PAUSED')
  }

  finish(): void {
    this.become('DONE')
  }

  private become(status: CampaignStatus): void {
    this.status = nextState('A campaign', campaignTransitions, this.status, status)
  }
}

export const CampaignSchema: EntitySchema<Campaign> = tenantEntity({
  class: Campaign,
  properties: {
    name: p.text(),
    sequence: () => p.manyToOne(EmailSequence).ref(),
    icp: () => p.manyToOne(IdealCustomerProfile).ref().nullable(),
    status: p.enum(campaignStatuses).default('DRAFT'),
    startsAt: moment().nullable(),
    endsAt: moment().nullable(),
    stats: p
      .json<Partial<CampaignStats>>()
      .onCreate(() => ({}))
      .defaultRaw(`'{}'`),
    version: p.integer().version(),
  },
  restored: campaign => {
    if (campaign.status === 'RUNNING') campaign.pause()
    if (campaign.status === 'SCHEDULED') campaign.unschedule()
  },
  indexes: [{ properties: ['status', 'startsAt'] }],
  checks: [
    { name: 'campaign_ends_after_start', expression: 'starts_at < ends_at' },
    { name: 'campaign_scheduled', expression: `status <> 'SCHEDULED' or starts_at is not null` },
  ],
  triggers: [
    refused({
      table: 'campaign',
      name: 'sequence_stays',
      event: 'update',
      when: `old.status = 'RUNNING' and new.status = 'RUNNING' and new.sequence_id <> old.sequence_id`,
      message: 'whoever is enrolled would go on in the middle of another sequence: pause the campaign first',
    }),
  ],
})
