import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { userActor } from '../../src/context/index.ts'
import { openTestDatabase } from '../../src/testing/index.ts'
import { daybookHost } from '../../src/http/index.ts'
import { Caller, openTestHost, signUp } from './test-host.ts'

function block(ms: number): void {
  const until = performance.now() + ms
  while (performance.now() < until);
}

test('what comes in while the event loop is blocked is refused and told to come back, health is answered, and it passes', async () => {
  await using on = await openTestHost({ load: { eventLoopDelayMs: 400 } })
  const caller = new Caller(on)
  const ask = () => caller.get('/me')
  await expect.poll(async () => (await ask()).statusCode, { timeout: 20_000 }).toBe(401)
  await sleep(100)
  block(800)
  await sleep(50)
  const [refused, live] = [await ask(), await caller.get('/health/live')]
  expect([refused.statusCode, refused.json().code]).toEqual([503, 'http.busy'])
  expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0)
  expect(live.statusCode).toBe(200)
  await expect.poll(async () => (await ask()).statusCode, { timeout: 20_000 }).toBe(401)
})

test('a heap that is nearly full takes on no more work', async () => {
  await using on = await openTestHost({ load: { eventLoopDelayMs: 0, heapUsed: 0.000_001 } })
  expect((await new Caller(on).get('/me')).statusCode).toBe(503)
  expect((await new Caller(on).get('/health/ready')).statusCode).toBe(200)
})

test('when too many wait for a connection, whoever comes next doesn’t join them', async () => {
  await using database = await openTestDatabase({ poolMax: 1 })
  if (!database.urls) return expect(database.daybook.pool).toBeUndefined()
  const { daybook } = database
  const host = daybookHost(daybook, { rateLimits: false, load: { eventLoopDelayMs: 0, poolWaiting: 2 } })
  const ann = await signUp(
    { daybook, host, mails: [], log: [], routes: [], [Symbol.asyncDispose]: () => host.close() },
    'ann@a.example',
    'A',
  )
  const { promise: held, resolve: letGo } = Promise.withResolvers<void>()
  const holding = daybook.transact({ tenant: ann.organization, actor: userActor(ann.user) }, async em => {
    await em.execute('select 1')
    await held
  })
  await expect.poll(() => daybook.pool).toMatchObject({ size: 1, idle: 0, waiting: 0 })
  const waiting = [ann.caller.get('/me'), ann.caller.get('/me')]
  await expect.poll(() => daybook.pool?.waiting).toBe(2)
  const refused = await ann.caller.get('/me')
  letGo()
  await holding
  expect([refused.statusCode, refused.json().code]).toEqual([503, 'http.busy'])
  expect((await Promise.all(waiting)).map(({ statusCode }) => statusCode)).toEqual([200, 200])
  expect((await ann.caller.get('/me')).statusCode).toBe(200)
  await host.close()
})
