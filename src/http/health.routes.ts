import { Type } from 'typebox'
import { exactly, oneOf } from './fields.ts'
import type { App } from './app.ts'
import { hostOf } from './host-state.ts'
import { readinessOf } from './readiness.ts'

const result = oneOf(['ok', 'failed', 'pending'])
const readiness = exactly({
  status: oneOf(['ready', 'unready']),
  database: oneOf(['embedded', 'server']),
  checks: exactly({ database: result, migrations: result, isolation: result }),
})

const config = { access: 'public', isUnlimited: true } as const

export function healthRoutes(app: App, cacheMs?: number): void {
  const look = readinessOf(hostOf(app).database, app.log, cacheMs)

  app.get('/health/live', { config, schema: { response: { 200: exactly({ status: Type.Literal('live') }) } } }, () => ({
    status: 'live' as const,
  }))

  app.get('/health/ready', { config, schema: { response: { 200: readiness, 503: readiness } } }, async (_request, reply) => {
    const found = await look()
    return reply.code(found.status === 'ready' ? 200 : 503).send(found)
  })
}
