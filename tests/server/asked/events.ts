import {
  acceptProposal,
  addTrigger,
  Automation,
  cancelEvent,
  clearSetting,
  completeEvent,
  connectCalendar,
  createAutomation,
  createEndpoint,
  importEvent,
  keepDeletedDays,
  proposeSlots,
  publish,
  receiveCall,
  redeliverDead,
  refreshToken,
  relayMessages,
  requestScheduling,
  rescheduleEvent,
  resendDead,
  rotateEndpointSecret,
  scheduleEvent,
  SchedulingEvent,
  startAutomation,
  suggestSlots,
  Task,
  tokenOf,
  testEndpoint,
  WebhookEndpoint,
} from '../../../src/entities.ts'
import { answerOnce } from '../../../src/domain/system/internal.ts'
import { startReactions } from '../../../src/jobs/index.ts'
import { webhookHeaders } from '../../../src/kernel/standard-webhooks.ts'
import type { Calls } from './world.ts'

const hours = (from: number, to: number) => ({
  startsAt: new Date(Date.UTC(2031, 5, 2, from)),
  endsAt: new Date(Date.UTC(2031, 5, 2, to)),
})

export const aboutEvents: Calls = {
  async 'automations and what starts them'(world) {
    const { daybook } = world
    const made = await world.work(async em => {
      const created = await createAutomation(em, { name: 'On a call', definition: { kind: 'action', action: 'nothing' } })
      addTrigger(em, created.automation, { type: 'WEBHOOK' })
      addTrigger(em, created.automation, { type: 'EVENT', config: { event: 'task.*' } })
      const { endpoint } = await createEndpoint(em, { url: 'https://receiver.example.com/', events: ['task.*'] })
      await rotateEndpointSecret(em, endpoint)
      return { ...created, endpoint: endpoint.id }
    })
    await world.work(async em => {
      const endpoint = await em.findOneOrFail(WebhookEndpoint, made.endpoint)
      await testEndpoint(em, endpoint)
      await resendDead(em, endpoint)
    })
    const body = '{}'
    const headers = webhookHeaders({ id: 'call-1', at: new Date(), body }, [made.webhookSecret])
    await world.asSystem(async em => receiveCall(em, await em.findOneOrFail(Automation, made.automation.id), { body, headers }))
    await world.work(async em => startAutomation(em, await em.findOneOrFail(Automation, made.automation.id), { key: 'by hand' }))
    await world.work(async em => void em.create(Task, { title: 'Something to tell of' }))
    const errors: unknown[] = []
    const outbox = [{ topic: 'tasks', entities: [Task] }]
    await using reactions = startReactions(daybook, { pollMs: 5, outbox, onError: error => errors.push(error) })
    while ((await reactions.progress()).behind > 0 && errors.length === 0) await new Promise(resolve => setTimeout(resolve, 50))
    if (errors.length > 0) throw errors[0]
  },

  async 'a calendar'(world) {
    const details = { title: 'A meeting', timeZone: 'UTC' }
    const made = await world.work(em => scheduleEvent(em, { ...details, ...hours(9, 10), organizer: world.owner }))
    await world.work(em => rescheduleEvent(em, made, hours(11, 12)))
    await world.work(em =>
      suggestSlots(em, { people: [world.owner], durationMinutes: 30, between: { from: hours(8, 9).startsAt, to: hours(8, 18).endsAt } }),
    )
    await world.work(async em => {
      const connection = await connectCalendar(em, { provider: 'GOOGLE', externalAccount: 'demo@example.com', token: 'a token' })
      await em.flush()
      await refreshToken(em, connection, 'another token')
      await tokenOf(em, connection)
      await em.flush()
      await importEvent(em, connection, { ...details, ...hours(11, 13), externalId: 'theirs-1' })
    })
    await world.work(async em => completeEvent(em, await em.findOneOrFail(SchedulingEvent, made.id)))
    const another = await world.work(em => scheduleEvent(em, { ...details, ...hours(15, 16), organizer: world.owner }))
    await world.work(em => cancelEvent(em, another))
  },

  async 'times that an agent proposes'(world) {
    const request = { title: 'A talk', organizer: world.owner, timeZone: 'UTC' }
    const task = await world.work(async em => {
      const asked = requestScheduling(em, { source: 'CHAT', type: 'FIND_TIME', request })
      asked.start()
      return asked
    })
    await world.asSystem(em => proposeSlots(em, task, { slots: [hours(17, 18)], rationale: 'Everybody has time.' }))
    await world.work(em => acceptProposal(em, task, 0))
  },

  async 'messages for a broker'(world) {
    await world.work(async em => publish(em, 'greetings', { text: 'Hello' }, { key: 'one' }))
    const publisher = { publish: () => Promise.reject(new Error('The broker is away.')) }
    for (let n = 0; n < 3; n++) await relayMessages({ publisher, transact: does => world.asSystem(does) }, new Date())
    await world.work(em => redeliverDead(em, 'greetings'))
  },

  async 'settings and answers that are repeated'(world) {
    await world.work(em => clearSetting(em, keepDeletedDays))
    const request = { key: 'once', principal: world.owner, method: 'POST', route: '/tasks', body: {} }
    const answer = { status: 201, headers: {}, body: null }
    for (let n = 0; n < 2; n++) await world.work(em => answerOnce(em, request, () => Promise.resolve(answer)))
  },
}
