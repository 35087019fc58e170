import { LockMode } from '@mikro-orm/core'
import { now } from '../../kernel/clock.ts'
import { newId } from '../../kernel/id.ts'
import { inTurn, lockedAfresh, type ScopedEntityManager } from '../../orm/index.ts'
import { CampaignEnrollment } from './campaign-enrollment.entity.ts'
import { Campaign, type CampaignStats } from './campaign.entity.ts'
import { SequenceStep } from './email-sequence.entity.ts'
import type { MessageStatus } from './message-words.ts'
import type { Prospect } from './prospect.entity.ts'
import { CampaignClosedError, CampaignRunningError, SequenceInactiveError } from './sales.errors.ts'

/** Starts a campaign, or lets it go on. Its sequence must be active, for otherwise nothing would be sent and nobody would know why. */
export async function runCampaign(em: ScopedEntityManager, campaign: Campaign): Promise<void> {
  const { status } = await campaign.sequence.loadOrFail()
  if (status !== 'ACTIVE') throw new SequenceInactiveError(status)
  campaign.run()
}

/** The database refuses it as well, whoever writes, and can't say it as well. */
export function refuseOtherSequence({ id, status, sequence }: Campaign, { sequence: other }: { readonly sequence?: string }): void {
  if (status === 'RUNNING' && other !== undefined && other !== sequence.id) throw new CampaignRunningError(id)
}

/**
 * Enrols those who aren't yet, in one statement, so that two who enrol the same prospect enrol it once. Who is deleted, won or lost is left
 * out. Returns the new enrolments.
 */
export async function enroll(
  em: ScopedEntityManager,
  campaign: Campaign,
  prospects: readonly Prospect[],
  at: Date = now(),
): Promise<CampaignEnrollment[]> {
  return inTurn(em, async inner => {
    // Nobody ends the campaign meanwhile.
    const { status, sequence, startsAt } = await lockedAfresh(inner, Campaign, campaign.id, LockMode.PESSIMISTIC_READ)
    if (status === 'DONE') throw new CampaignClosedError(campaign.id)
    const first = await inner.findOne(SequenceStep, { sequence, position: 1 })
    const begins = startsAt && startsAt > at ? startsAt : at
    const rows = await inner.execute<{ id: string }[]>(
      `insert into campaign_enrollment (id, tenant_id, campaign_id, prospect_id, next_at, created_at, updated_at)
         select given.id, p.tenant_id, ?, p.id, ?, stamp.at, stamp.at
           from jsonb_to_recordset(?::jsonb) as given (id uuid, prospect uuid) join prospect p on p.id = given.prospect, (select ?::timestamptz as at) stamp
           where p.deleted_at is null and p.status not in ('WON', 'LOST')
         on conflict (tenant_id, campaign_id, prospect_id) do nothing returning id`,
      [
        campaign.id,
        after(begins, first?.delayHours ?? 0),
        JSON.stringify(prospects.map(({ id }) => ({ id: newId(), prospect: id }))),
        now(),
      ],
    )
    return inner.find(CampaignEnrollment, { id: { $in: rows.map(({ id }) => id) } })
  })
}

export function after(at: Date, hours: number): Date {
  return new Date(at.getTime() + hours * 3_600_000)
}

/** Counts how far a campaign's messages came, and keeps the numbers with it. */
export function campaignStats(em: ScopedEntityManager, { id }: Campaign): Promise<CampaignStats> {
  return inTurn(em, async inner => {
    const campaign = await lockedAfresh(inner, Campaign, id)
    const rows = await inner.execute<{ status: MessageStatus; count: number }[]>(
      `select status, count(*)::int as count from message where campaign_id = ? and direction = 'OUTBOUND' group by status`,
      [id],
    )
    const enrolled = await inner.count(CampaignEnrollment, { campaign: id })
    const stopped = await inner.count(CampaignEnrollment, { campaign: id, stoppedAt: { $ne: null } })
    campaign.stats = { enrolled, stopped, ...funnel(new Map(rows.map(({ status, count }) => [status, count]))) }
    return campaign.stats as CampaignStats
  })
}

function funnel(counts: ReadonlyMap<MessageStatus, number>): Omit<CampaignStats, 'enrolled' | 'stopped'> {
  const sum = (...statuses: MessageStatus[]) => statuses.reduce((all, status) => all + (counts.get(status) ?? 0), 0)
  return {
    queued: sum('QUEUED'),
    sent: sum('SENT', 'DELIVERED', 'OPENED', 'REPLIED', 'BOUNCED'),
    delivered: sum('DELIVERED', 'OPENED', 'REPLIED'),
    opened: sum('OPENED', 'REPLIED'),
    replied: sum('REPLIED'),
    bounced: sum('BOUNCED'),
    failed: sum('FAILED'),
  }
}
