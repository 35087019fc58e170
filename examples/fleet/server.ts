import { openDaybook, refuseBrokenIsolation, startBackground } from 'daybook'
import { daybookPlugin } from 'daybook/fastify'
import Fastify from 'fastify'
import { overview, resources } from './fleet.routes.ts'
import { entities, migrations } from './model.ts'

const daybook = await openDaybook({ entities, migrations })
// A role that could get around the policies is not one to serve with.
await refuseBrokenIsolation(daybook)
// Jobs, and what waits for events: without it no webhook is queued and no event starts an automation.
const background = startBackground(daybook, { onError: (error, doing) => console.error(doing, error) })

const app = Fastify({ forceCloseConnections: 'idle' })
app.addHook('onClose', async () => {
  await background[Symbol.asyncDispose]()
  await daybook.close()
})
app.get('/', () => 'A fleet, with its people and its work.\n')
await app.register(daybookPlugin, {
  daybook,
  prefix: '/api',
  areas: ['identity', 'work'],
  // Behind a proxy that speaks https to people and http to this.
  secureCookie: process.env.NODE_ENV === 'production',
  resources,
  problems: { 'fleet.vehicle_sold': 409 },
})
await app.register(overview, { daybook })

const address = await app.listen({ host: '127.0.0.1', port: Number(process.env.PORT ?? 3000) })
console.log(`The fleet listens on ${address}`)
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void app.close())
