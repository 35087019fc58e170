import type { EntityClass } from '@mikro-orm/core'
import { describe, expect, test } from 'vitest'
import * as all from '../../src/entities.ts'
import type { Row, ScopedEntityManager, TenantRow } from '../../src/orm/index.ts'
import { hireInto, roleOf } from '../access/company.ts'
import { useCallers } from './use-callers.ts'

const { ground, as, work, make, of } = useCallers()

const at = (hour: number) => new Date(Date.UTC(2026, 10, 23, hour))
const verdict = { rationale: 'It did.', at: at(9) }
const stored = <T extends Row>(entity: EntityClass<T>, { id }: { readonly id: string }) =>
  work(em => em.findOneOrFail(entity, { id } as never))
const one = <T>(rows: readonly T[]) => rows[0]!

const approval = async () => {
  const subject = await make(all.Task)
  return work(em => all.requestApproval(em, { type: 'task.refund', subject, subjectType: 'task', reason: 'It broke.' }), as.agent())
}
const payload = { payload: { amount: 450 } }
const inWork = [
  of('approve', all.ApprovalItem, {
    make: approval,
    change: payload,
    call: (em, row) => all.approve(em, row, verdict),
    becomes: { status: 'APPROVED' },
  }),
  of('rejectApproval', all.ApprovalItem, {
    make: approval,
    change: payload,
    call: (em, row) => all.rejectApproval(em, row, verdict),
    becomes: { status: 'REJECTED' },
  }),
]

const told = (status: all.MessageStatus, record: typeof all.recordSent) =>
  of(`a message that is ${status}`, all.Message, {
    make: () => make(all.Message),
    change: { providerId: 'p-1' },
    call: (em, row) => record(em, row, at(9)),
    becomes: { status },
  })
const enrolled = async () => {
  const { campaign, prospect } = await make(all.Message, { prospect: (await make(all.Prospect)).id })
  return make(all.CampaignEnrollment, { campaign: campaign!.id, prospect: prospect!.id })
}
const messageTo = (em: ScopedEntityManager) => em.find(all.Message, { direction: 'OUTBOUND' }).then(one)
const sequence = async () => stored(all.EmailSequence, (await make(all.SequenceStep, { position: 1 })).sequence)
const campaign =
  (more: object = {}) =>
  () =>
    make(all.Campaign, more)
const named = { name: 'renamed' }
const running = async () => {
  const { sequence: itsSequence } = await make(all.SequenceStep, { position: 1 })
  await work(async em => void ((await em.findOneOrFail(all.EmailSequence, itsSequence.id)).status = 'ACTIVE'))
  return make(all.Campaign, { sequence: itsSequence.id, status: 'SCHEDULED', startsAt: at(8) })
}
const inSales = [
  of('acceptInsight', all.AIInsight, {
    make: () => make(all.AIInsight),
    change: { title: 'renamed' },
    call: (em, row) => all.acceptInsight(em, row, { reason: 'So it is.' }),
    becomes: { status: 'ACCEPTED' },
  }),
  of('dismissInsight', all.AIInsight, {
    make: () => make(all.AIInsight),
    change: { title: 'renamed' },
    call: (em, row) => all.dismissInsight(em, row, { reason: 'It is not so.' }),
    becomes: { status: 'DISMISSED' },
  }),
  told('SENT', all.recordSent),
  told('DELIVERED', all.recordDelivered),
  told('OPENED', all.recordOpened),
  told('REPLIED', all.recordReply),
  told('BOUNCED', all.recordBounce),
  told('FAILED', all.recordFailure),
  of('recordReply stops an enrolment', all.CampaignEnrollment, {
    make: enrolled,
    change: { nextStep: 2 },
    call: async em => all.recordReply(em, await messageTo(em), at(9)),
    becomes: { stopReason: 'REPLIED' },
  }),
  of('recordReply engages a prospect', all.Prospect, {
    make: async () => stored(all.Prospect, (await enrolled()).prospect),
    change: { firstName: 'renamed' },
    call: async em => all.recordReply(em, await messageTo(em), at(9)),
    becomes: { status: 'ENGAGED' },
  }),
  of('activateSequence', all.EmailSequence, { make: sequence, change: named, call: all.activateSequence, becomes: { status: 'ACTIVE' } }),
  of('activateSequence, with a changed step', all.SequenceStep, {
    make: () => make(all.SequenceStep, { position: 2 }),
    change: { position: 1 },
    call: async (em, row) => all.activateSequence(em, await row.sequence.loadOrFail()),
  }),
  of('addStep', all.EmailSequence, {
    make: sequence,
    change: named,
    call: (em, row) => all.addStep(em, row, { position: 2, subject: 'Again', bodyTemplate: 'Again' }),
  }),
  of('changeStep', all.SequenceStep, {
    make: () => make(all.SequenceStep),
    change: { subject: 'renamed' },
    call: async (em, row) => {
      ;(await row.sequence.loadOrFail()).name = 'renamed'
      await all.changeStep(em, row, { delayHours: 7 })
      expect((await em.findOneOrFail(all.EmailSequence, row.sequence.id)).name).toBe('renamed')
    },
    becomes: { delayHours: 7 },
  }),
  of('removeStep', all.EmailSequence, {
    make: sequence,
    change: named,
    call: async (em, row) => all.removeStep(em, one(await em.find(all.SequenceStep, { sequence: row.id }))),
  }),
  of('enroll', all.Campaign, { make: campaign(), change: named, call: (em, row) => all.enroll(em, row, []) }),
  of('campaignStats', all.Campaign, { make: campaign(), change: named, call: all.campaignStats, becomes: { stats: { enrolled: 0 } } }),
  of('advanceCampaigns', all.Campaign, {
    make: running,
    change: named,
    call: em => all.advanceCampaigns(em, at(9)),
    becomes: { status: 'RUNNING' },
  }),
]

const decision = (status: 'PENDING' | 'REQUIRES_APPROVAL') => async () => {
  await make(all.OrchestrationAgent, { id: ground.agent, tools: ['look'], minConfidence: 0.5 })
  return work(
    async em => decide(em, await em.findOneOrFail(all.OrchestrationAgent, ground.agent), status === 'PENDING' ? 0.9 : 0.1),
    as.agent(),
  )
}
async function decide(em: ScopedEntityManager, by: all.OrchestrationAgent, confidence: number): Promise<all.AgentDecision> {
  const subject = em.create(all.Task, { title: 'Printer burns' })
  await em.flush()
  return decideAbout(em, by, subject, confidence)
}
function decideAbout(
  em: ScopedEntityManager,
  by: all.OrchestrationAgent,
  subject: TenantRow,
  confidence = 0.9,
): Promise<all.AgentDecision> {
  const why = { type: 'ticket.triage', subject, subjectType: 'task', inputSource: 'mail', input: {}, reasoning: 'It says so.' }
  return all.decideAsAgent(em, by, { ...why, confidence, actions: [{ tool: 'look', parameters: {} }] })
}
const tools: all.Tools = { look: () => Promise.resolve() }
const noted = { error: 'Nobody looked.' }
const inAgents = [
  of('decideAsAgent', all.OrchestrationAgent, {
    make: () => make(all.OrchestrationAgent, { id: ground.agent, tools: [] }),
    change: { tools: ['look'] },
    call: (em, row) => decideAbout(em, row, row),
    as: as.agent,
  }),
  of('approveDecision', all.ApprovalItem, {
    make: async () => stored(all.ApprovalItem, (await decision('REQUIRES_APPROVAL')()).approval!),
    change: payload,
    call: async (em, row) => all.approveDecision(em, one(await em.find(all.AgentDecision, { approval: row.id })), verdict, tools),
    becomes: { status: 'APPROVED' },
  }),
  of('rejectDecision', all.AgentDecision, {
    make: decision('REQUIRES_APPROVAL'),
    change: noted,
    call: (em, row) => all.rejectDecision(em, row, verdict),
    becomes: { status: 'REJECTED' },
  }),
  of('overrideDecision', all.AgentDecision, {
    make: decision('PENDING'),
    change: noted,
    call: async (em, row) =>
      all.overrideDecision(em, row, { subject: one(await em.find(all.Task, {})), outcome: 'no', rationale: 'It does not burn.' }),
    becomes: { status: 'REJECTED' },
  }),
]

const slot = () => make(all.BookingSlot, { startsAt: at(10), endsAt: at(11), timeZone: 'UTC' })
const booking = async () => {
  const free = await slot()
  return work(async em => all.book(em, await em.findOneOrFail(all.BookingSlot, free.id), contact, at(9)))
}
const contact = { auditType: 'WEBSITE', contactEmail: 'ada@example.com', contactName: 'Ada', timeZone: 'UTC' } as const
const zone = { timeZone: 'Europe/Paris' }
const notes = { notes: 'Bring cake.' }
const inCommerce = [
  of('book', all.BookingSlot, { make: slot, change: zone, call: (em, row) => all.book(em, row, contact, at(9)), becomes: { booked: 1 } }),
  of('blockSlot', all.BookingSlot, { make: slot, change: zone, call: all.blockSlot, becomes: { isBlocked: true } }),
  of('cancelBooking', all.AuditBooking, { make: booking, change: notes, call: all.cancelBooking, becomes: { status: 'CANCELLED' } }),
  of('cancelBooking, with a changed slot', all.BookingSlot, {
    make: async () => stored(all.BookingSlot, (await booking()).slot),
    change: zone,
    call: async (em, row) => all.cancelBooking(em, one(await em.find(all.AuditBooking, { slot: row.id }))),
    becomes: { booked: 0 },
  }),
  of('rescheduleBooking', all.AuditBooking, {
    make: async () => {
      await slot()
      return booking()
    },
    change: notes,
    call: async (em, row) => all.rescheduleBooking(em, row, one(await em.find(all.BookingSlot, { booked: 0 })), at(9)),
    becomes: { status: 'RESCHEDULED' },
  }),
  of('placeOrder, at the price that it was given', all.MarketplaceItem, {
    make: () => make(all.MarketplaceItem, { status: 'AVAILABLE', priceMinor: 500n }),
    change: { priceMinor: 700n },
    call: async (em, row) => {
      const order = await all.placeOrder(em, await em.findOneOrFail(all.User, ground.company.owner.id), [{ item: row, quantity: 2 }])
      expect(order.totalMinor).toBe(1400n)
    },
  }),
  of('subscribeToNewsletter', all.NewsletterSubscriber, {
    make: () => make(all.NewsletterSubscriber, { email: 'ada@example.com' }),
    change: { locale: 'fr' },
    call: em => all.subscribeToNewsletter(em, { email: 'ada@example.com', source: 'website' }, at(9)),
    becomes: { confirmBy: new Date(at(9).getTime() + 7 * 24 * 3_600_000) },
  }),
]

const error = { detector: 'lint', severity: 'LOW', message: 'no' } as const
const event =
  (more: object = {}) =>
  () =>
    make(all.SchedulingEvent, { startsAt: at(10), endsAt: at(11), timeZone: 'UTC', organizer: ground.company.owner.id, ...more })
const room = { location: 'Room 2' }
const asked = (title: string) => ({ title, organizer: ground.company.owner.id, timeZone: 'UTC' })
const changedTask = () => ({ request: asked('Another call') })
const task = (status: 'RUNNING' | 'PROPOSED') => async () => {
  const made = await make(all.SchedulingAgentTask, { type: 'FIND_TIME', request: asked('A call'), event: null })
  await work(async em => {
    const some = await em.findOneOrFail(all.SchedulingAgentTask, made.id)
    some.start()
    if (status === 'PROPOSED') await all.proposeSlots(em, some, proposal)
  })
  return made
}
const proposal = { slots: [{ startsAt: at(14), endsAt: at(15) }], rationale: 'It is free.' }
const imported = { externalId: 'x-1', title: 'theirs', startsAt: at(12), endsAt: at(13), timeZone: 'UTC' }
const inScheduling = [
  of('rescheduleEvent', all.SchedulingEvent, {
    make: event(),
    change: room,
    call: (em, row) => all.rescheduleEvent(em, row, { startsAt: at(12), endsAt: at(13) }, at(9)),
    becomes: { startsAt: at(12) },
  }),
  of('cancelEvent', all.SchedulingEvent, { make: event(), change: room, call: all.cancelEvent, becomes: { status: 'CANCELLED' } }),
  of('completeEvent', all.SchedulingEvent, {
    make: event({ status: 'CONFIRMED' }),
    change: room,
    call: all.completeEvent,
    becomes: { status: 'COMPLETED' },
  }),
  of('remind', all.SchedulingEvent, { make: event(), change: room, call: (em, row) => all.remind(em, row, 10, 'EMAIL') }),
  of('importEvent', all.SchedulingEvent, {
    make: async () => {
      const user = ground.company.owner.id
      return event({ connection: (await make(all.CalendarConnection, { user })).id, externalId: 'x-1' })()
    },
    change: { aiSuggestion: { kept: true } },
    call: async em => all.importEvent(em, one(await em.find(all.CalendarConnection, {})), imported, at(9)),
    becomes: { title: 'theirs', startsAt: at(12) },
  }),
  of('sendReminders', all.EventReminder, {
    make: () => make(all.EventReminder, { remindAt: at(8), dueAt: at(8) }),
    change: { remindAt: at(7) },
    call: em => all.sendReminders(em, at(9)),
    becomes: { status: 'SENT' },
    needsOpen: true,
  }),
  of('proposeSlots', all.SchedulingAgentTask, {
    make: task('RUNNING'),
    change: changedTask,
    call: (em, row) => all.proposeSlots(em, row, proposal),
    becomes: { status: 'PROPOSED' },
  }),
  of('acceptProposal', all.SchedulingAgentTask, {
    make: task('PROPOSED'),
    change: changedTask,
    call: (em, row) => all.acceptProposal(em, row, 0, at(9)),
    becomes: { status: 'DONE' },
  }),
]

/** With another owner beside them, for the last one stays. */
const member = async () => {
  const user = await hireInto(ground.daybook, ground.company, 'OWNER')
  return work(em => em.findOneOrFail(all.Membership, { user: user.id }))
}
const joined = { joinedAt: at(1) }
const paid = (): all.StripeEvent => ({
  id: 'evt_1',
  type: 'customer.subscription.updated',
  created: at(9).getTime() / 1_000,
  data: {
    object: {
      id: 'sub_1',
      status: 'active',
      current_period_start: at(9).getTime() / 1_000,
      current_period_end: at(10).getTime() / 1_000,
      metadata: { plan: 'STARTER' },
    },
  },
})
const elsewhere = [
  of('suspendMember', all.Membership, {
    make: member,
    change: joined,
    call: all.suspendMember,
    becomes: { status: 'SUSPENDED' },
    needsOpen: true,
  }),
  of('removeMember', all.Membership, {
    make: member,
    change: joined,
    call: all.removeMember,
    becomes: { status: 'LEFT' },
    needsOpen: true,
  }),
  of('changeRole', all.Membership, {
    make: member,
    change: joined,
    call: async (em, row) => all.changeRole(em, row, await roleOf(em, 'MEMBER')),
    becomes: { role: expect.anything() as unknown },
    needsOpen: true,
  }),
  of('receiveStripeEvent', all.Organization, {
    make: () => Promise.resolve(ground.company.organization),
    change: named,
    call: em => all.receiveStripeEvent(em, paid(), at(9)),
    becomes: { plan: 'STARTER' },
  }),
  of('addMessage', all.DocumentChat, {
    make: () => make(all.DocumentChat, { user: ground.company.owner.id }),
    change: { title: 'renamed' },
    call: (em, row) => all.addMessage(em, row, { role: 'USER', content: 'Where?' }, at(9)),
    becomes: { lastMessageAt: at(9) },
  }),
  of('reportError', all.ErrorSignature, {
    make: () => make(all.ErrorSignature, { hash: all.signatureOf(error), ...error }),
    change: { firstSeenAt: new Date('2026-01-01T00:00:00Z') },
    call: async (em, row) => all.reportError(em, await row.project.loadOrFail(), error, at(9)),
    becomes: { occurrences: 2 },
  }),
]

const services = [...inWork, ...inSales, ...inAgents, ...inCommerce, ...inScheduling, ...elsewhere]

describe('what a caller has changed and not flushed is written, and so is what the service changes', () => {
  test.each(services)('in the caller’s transaction: $what', ({ run }) => run(true))
  test.each(services.filter(({ needsOpen }) => !needsOpen))('in the service’s own: $what', ({ run }) => run(false))
})
