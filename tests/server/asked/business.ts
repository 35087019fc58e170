import {
  acceptInsight,
  addProspect,
  addStep,
  AIInsight,
  blockSlot,
  book,
  BookingSlot,
  cancelBooking,
  changeStep,
  confirmSubscription,
  deliverIssues,
  dismissInsight,
  EmailSequence,
  importSubscribers,
  inLocale,
  linkTask,
  MarketplaceItem,
  Message,
  NewsletterIssue,
  placeOrder,
  Project,
  Prospect,
  recipientsOf,
  recordBounce,
  recordFailure,
  recordOpened,
  removeStep,
  rescheduleBooking,
  restoreProspect,
  searchContent,
  searchProspects,
  subscribeToNewsletter,
  Task,
  unsubscribe,
  unsubscribeTokenOf,
  User,
  verifyAttestations,
} from '../../../src/entities.ts'
import type { Calls } from './world.ts'

const at = new Date('2030-01-01T08:00:00Z')
const judgement = { reason: 'It fits what we know.' }

export const aboutBusiness: Calls = {
  'the chain of a project’s fixes': world =>
    world.work(async em => verifyAttestations(em, await em.findOneOrFail(Project, { slug: 'web-app' }))),

  async bookings(world) {
    const [first, second] = await world.work(async em => {
      const slot = (hour: number) => ({
        startsAt: new Date(Date.UTC(2031, 5, 2, hour)),
        endsAt: new Date(Date.UTC(2031, 5, 2, hour + 1)),
        timeZone: 'UTC',
      })
      const slots = [em.create(BookingSlot, slot(9)), em.create(BookingSlot, slot(11))] as const
      await em.flush()
      return slots
    })
    const input = { auditType: 'WEBSITE', contactEmail: 'ada@example.com', contactName: 'Ada', timeZone: 'UTC' } as const
    const booking = await world.work(em => book(em, first, input, at))
    const moved = await world.work(em => rescheduleBooking(em, booking, second, at))
    await world.work(em => cancelBooking(em, moved))
    await world.work(em => blockSlot(em, first))
  },

  'an order': world =>
    world.work(async em => {
      const [buyer, item] = [await em.findOneOrFail(User, world.owner), await em.findOneOrFail(MarketplaceItem, { sku: 'HANDBOOK' })]
      await placeOrder(em, buyer, [{ item, quantity: 2 }])
    }),

  async newsletters(world) {
    const token = await world.asSystem(em => subscribeToNewsletter(em, { email: 'reader@example.com', source: 'website' }))
    const subscriber = await confirmSubscription(world.daybook, token!)
    await unsubscribe(world.daybook, await world.asSystem(em => unsubscribeTokenOf(em, subscriber)))
    await world.work(em => importSubscribers(em, [{ email: 'reader.two@example.com', source: 'fair' }]))
    await world.work(em => recipientsOf(em))
    await world.work(async em => em.create(NewsletterIssue, { subject: 'News', body: 'There is some.' }).schedule(at, at))
    const newsletter = { mailer: { send: () => Promise.resolve() }, unsubscribeUrl: (of: string) => of }
    // It has queued and taken some by the time that it opens secrets of the crowd's, which are none.
    await deliverIssues({ ...newsletter, transact: does => world.asSystem(does) }, at).catch(() => undefined)
  },

  async 'reading what is published'(world) {
    await world.work(em => inLocale(em, 'page', 'about', 'fr-CA'))
    await world.work(em => searchContent(em, 'visitors', { locale: 'en' }))
  },

  async insights(world) {
    const [first, second] = await world.work(em =>
      em.find(AIInsight, { subjectType: 'prospect', status: 'NEW', model: 'small-1' }, { limit: 2 }),
    )
    await world.work(em => acceptInsight(em, first!, judgement))
    await world.work(em => dismissInsight(em, second!, judgement))
  },

  async prospects(world) {
    await world.work(em => searchProspects(em, 'northwind'))
    await world.work(em => em.find(Prospect, { companyDomain: 'northwind.example' }))
    await world.work(em => em.find(Prospect, {}, { orderBy: { score: 'desc' }, limit: 51 }))
    const { id } = await world.work(em => addProspect(em, { email: 'another@prospect.example' }))
    await world.work(async em => linkTask(em, await em.findOneOrFail(Task, {}, { orderBy: { id: 'asc' } }), { id }))
    await world.work(async em => (await em.findOneOrFail(Prospect, id)).softDelete(at))
    await world.work(async em => restoreProspect(em, await em.findOneOrFail(Prospect, id, { filters: { live: false } })))
  },

  'what becomes of a message': world =>
    world.work(async em => {
      const prospect = await em.findOneOrFail(Prospect, { email: 'grace@northwind.example' })
      for (const tell of [recordOpened, recordBounce, recordFailure]) {
        const message = em.create(Message, { channel: 'EMAIL', body: 'Good morning', prospect })
        await em.flush()
        await tell(em, message)
      }
    }),

  'the steps of a sequence': world =>
    world.work(async em => {
      const sequence = em.create(EmailSequence, { name: 'In the making' })
      await em.flush()
      const step = await addStep(em, sequence, { position: 1, subject: 'Hello', bodyTemplate: 'Hello' })
      await changeStep(em, step, { subject: 'Good morning' })
      await removeStep(em, step)
    }),
}
