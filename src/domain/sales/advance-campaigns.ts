import { LockMode } from '@mikro-orm/core'
import { now } from '../../kernel/clock.ts'
import { allLockedAfresh, inTurn, type ScopedEntityManager } from '../../orm/index.ts'
import { CampaignEnrollment, type StopReason } from './campaign-enrollment.entity.ts'
import { Campaign } from './campaign.entity.ts'
import { after } from './campaigns.ts'
import { SequenceStep } from './email-sequence.entity.ts'
import { Message } from './message.entity.ts'
import type { Prospect } from './prospect.entity.ts'
import { renderStep } from './step-template.ts'

/**
 * Does what is due: begins and ends campaigns, and queues the next message of each enrolment whose time has come. Any number may do so at
 * once: each takes enrolments that nobody else has in hand. How much there was to do; asked again, it goes on.
 */
export function advanceCampaigns(em: ScopedEntityManager, at: Date = now(), limit = 200): Promise<number> {
  return inTurn(em, async inner => {
    const turned = await turnCampaigns(inner, at, limit)
    await inner.flush()
    const due = await takeDue(inner, at, limit)
    const known = await messagesOf(inner, due)
    const steps = await stepsOf(inner, due)
    for (const enrollment of due) {
      const campaign = enrollment.campaign.getEntity()
      const own = known.filter(message => message.campaign!.id === campaign.id && message.prospect!.id === enrollment.prospect.id)
      advance(inner, enrollment, { own, steps: steps.filter(step => step.sequence.id === campaign.sequence.id), at })
    }
    return turned + due.length
  })
}

export async function countDueCampaigns(em: ScopedEntityManager, at: Date, tenantId?: string): Promise<number> {
  const whose = tenantId ? { tenantId } : {}
  const campaigns = await em.count(Campaign, { ...turning(at), ...whose })
  const campaign = { status: 'RUNNING' as const, sequence: { status: 'ACTIVE' as const } }
  return campaigns + (await em.count(CampaignEnrollment, { stoppedAt: null, nextAt: { $lte: at }, campaign, ...whose }))
}

/** Campaigns whose beginning or end has come. One whose sequence isn't active waits for it. */
const turning = (at: Date) => ({
  $or: [
    { status: 'SCHEDULED' as const, startsAt: { $lte: at }, sequence: { status: 'ACTIVE' as const } },
    { status: { $in: ['SCHEDULED' as const, 'RUNNING' as const, 'PAUSED' as const] }, endsAt: { $lte: at } },
  ],
})

async function turnCampaigns(em: ScopedEntityManager, at: Date, limit: number): Promise<number> {
  const ids = (await em.find(Campaign, turning(at), { fields: ['id'], limit, disableIdentityMap: true })).map(({ id }) => id)
  const lock = { lockMode: LockMode.PESSIMISTIC_PARTIAL_WRITE, orderBy: { id: 'asc' } } as const
  const campaigns = ids.length > 0 ? await allLockedAfresh(em, Campaign, { id: { $in: ids } }, lock) : []
  const turned = campaigns.filter(({ status }) => status !== 'DRAFT' && status !== 'DONE')
  for (const campaign of turned) {
    if (campaign.endsAt && campaign.endsAt <= at) campaign.finish()
    else if (campaign.status === 'SCHEDULED') campaign.run()
  }
  return turned.length
}

/** Takes enrolments that are due and in nobody's hand, and holds their campaigns and sequences as they are until they are advanced. */
async function takeDue(em: ScopedEntityManager, at: Date, limit: number): Promise<CampaignEnrollment[]> {
  const rows = await em.execute<{ id: string }[]>(
    `select e.id from campaign_enrollment e join campaign c on c.id = e.campaign_id join email_sequence s on s.id = c.sequence_id
       where e.stopped_at is null and e.next_at <= ? and c.status = 'RUNNING' and s.status = 'ACTIVE'
       order by e.next_at, e.id limit ? for update of e skip locked for share of c, s`,
    [at, limit],
  )
  const ids = rows.map(({ id }) => id)
  return em.find(
    CampaignEnrollment,
    { id: { $in: ids } },
    // One that is deleted has to be seen, to be left alone.
    { populate: ['campaign', 'prospect'], filters: { live: false }, refresh: true, orderBy: { nextAt: 'asc', id: 'asc' } },
  )
}

function messagesOf(em: ScopedEntityManager, due: readonly CampaignEnrollment[]): Promise<Message[]> {
  const campaigns = due.map(({ campaign }) => campaign.id)
  const prospects = due.map(({ prospect }) => prospect.id)
  return em.find(Message, { campaign: { $in: campaigns }, prospect: { $in: prospects }, direction: 'OUTBOUND' }, { refresh: true })
}

function stepsOf(em: ScopedEntityManager, due: readonly CampaignEnrollment[]): Promise<SequenceStep[]> {
  const sequences = due.map(({ campaign }) => campaign.getEntity().sequence.id)
  return em.find(SequenceStep, { sequence: { $in: sequences } }, { refresh: true })
}

interface Situation {
  /** What was sent to the prospect in the campaign so far. */
  readonly own: readonly Message[]
  readonly steps: readonly SequenceStep[]
  readonly at: Date
}

function advance(em: ScopedEntityManager, enrollment: CampaignEnrollment, { own, steps, at }: Situation): void {
  const prospect = enrollment.prospect.getEntity()
  const reason = reasonToStop(prospect, own)
  if (reason) return enrollment.stop(reason, at)
  const stepAt = (position: number) => steps.find(step => step.position === position)
  const step = stepAt(enrollment.nextStep)
  if (!step) return enrollment.stop('COMPLETED', at)
  // Steps may have been moved while the sequence was paused; none is sent twice.
  if (!own.some(message => message.step?.id === step.id)) {
    const { campaign } = enrollment
    em.create(Message, { campaign, prospect, step, channel: step.channel, ...renderStep(step, prospect) })
  }
  const next = stepAt(step.position + 1)
  enrollment.nextStep = step.position + 1
  if (next) enrollment.nextAt = after(at, next.delayHours)
  else enrollment.stop('COMPLETED', at)
}

function reasonToStop(prospect: Prospect, own: readonly Message[]): StopReason | undefined {
  if (prospect.deletedAt) return 'DELETED'
  if (prospect.status === 'WON' || prospect.status === 'LOST') return prospect.status
  if (own.some(({ status }) => status === 'REPLIED')) return 'REPLIED'
  return own.some(({ status }) => status === 'BOUNCED') ? 'BOUNCED' : undefined
}
