import { openDaybook } from 'daybook'
import { daybookPlugin } from 'daybook/fastify'
import Fastify from 'fastify'
import { overview, resources } from './fleet.routes.ts'
import { entities, migrations } from './model.ts'

const daybook = await openDaybook({ entities, migrations })

const app = Fastify({ forceCloseConnections: 'idle' })
app.addHook('onClose', () => daybook.close())
app.get('/', () => 'A fleet, with its people and its work.\n')
await app.register(daybookPlugin, {
  daybook,
  prefix: '/api',
  areas: ['identity', 'work'],
  resources,
  problems: { 'fleet.vehicle_sold': 409 },
})
await app.register(overview, { daybook })

const address = await app.listen({ host: '127.0.0.1', port: Number(process.env.PORT ?? 3000) })
console.log(`The fleet listens on ${address}`)
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void app.close())
