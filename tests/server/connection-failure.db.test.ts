import { afterAll, beforeAll, expect, test } from 'vitest'
import { newId } from '../../src/kernel/id.ts'
import { openDaybook } from '../../src/open-daybook.ts'
import { openTestDatabase, type TestDatabase } from '../../src/testing/index.ts'
import { administer } from '../../src/testing/test-server.ts'

let database: TestDatabase

beforeAll(async () => {
  database = await openTestDatabase()
})
afterAll(() => database.daybook.close())

const password = 'n0t-to-be-told'

test.each<[string, (url: URL) => void, string, RegExp]>([
  ['a closed port', url => Object.assign(url, { port: '1' }), 'nothing listens there', /docker compose up/],
  ['a wrong password', url => Object.assign(url, { password }), 'the role or its password is not accepted', /migration:up/],
  ['a missing database', url => Object.assign(url, { pathname: '/nowhere' }), 'the database does not exist', /createdb nowhere/],
  ['a server without TLS', url => url.searchParams.set('sslmode', 'verify-full'), 'takes no encrypted connection', /sslmode=disable/],
  ['an unknown host', url => Object.assign(url, { hostname: 'no-such-host.invalid' }), 'the host name is unknown', /Check the host/],
])('%s is named with its cause and the next step, without the password', async (_title, change, cause, next) => {
  const url = new URL(database.urls!.app)
  change(url)
  const failure = await openDaybook({ databaseUrl: url.toString(), logQueries: false }).then(
    daybook => daybook.close(),
    (error: unknown) => error as Error & { code: string },
  )
  expect(failure).toMatchObject({ code: 'database.unreachable' })
  const { message } = failure as Error
  for (const part of [url.hostname, url.port, url.pathname.slice(1), url.username, cause]) expect(message).toContain(part)
  expect(message).toMatch(next)
  expect(message + JSON.stringify(failure)).not.toContain(url.password)
})

test('what other tools write into the URL is passed over', async () => {
  const url = new URL(database.urls!.app)
  url.search = 'sslmode=disable&pgbouncer=true&schema=public&connection_limit=5'
  await using daybook = await openDaybook({ databaseUrl: url.toString(), logQueries: false })
  expect(await daybook.orm.checkConnection()).toMatchObject({ ok: true })
})

test('an operator scope without a credential of its own is refused', async () => {
  const daybook = await openDaybook({ databaseUrl: database.urls!.app, logQueries: false })
  const attempt = daybook.operatorScope({ kind: 'operator', actor: { type: 'system', id: 'support' }, reason: 'a test' })
  await expect(attempt).rejects.toMatchObject({ code: 'scope.operator_unavailable' })
  await daybook.close()
})

test.each(['app', 'owner'] as const)(
  'an operator’s connection as the %s, whom policies bind, is refused by the name of its role',
  async role => {
    const { app, [role]: operatorUrl } = database.urls!
    await using daybook = await openDaybook({ databaseUrl: app, operatorUrl, logQueries: false })
    const attempt = daybook.operatorScope({ kind: 'operator', actor: { type: 'system', id: 'support' }, reason: 'a test' })
    await expect(attempt).rejects.toMatchObject({ code: 'scope.operator_unavailable', details: { bound: `daybook_${role}` } })
  },
)

test('an operator’s connection that failed once is tried again, and hinders nobody from closing', async () => {
  const { app, operator, administrator } = database.urls!
  const name = 'daybook_passing'
  await administer(administrator, `create role ${name} login bypassrls password 'passing' in role daybook_operator`)
  const operatorUrl = Object.assign(new URL(operator), { username: name, password: 'passing' }).toString()
  const mayLogIn = (may: string) => administer(administrator, `alter role ${name} ${may}`)
  try {
    const daybook = await openDaybook({ databaseUrl: app, operatorUrl, logQueries: false })
    const work = () =>
      daybook.transact({ kind: 'operator', actor: { type: 'system', id: 'support' }, reason: 'a test' }, em =>
        em.execute('select 1 as one'),
      )
    await mayLogIn('nologin')
    await expect(work()).rejects.toMatchObject({ code: 'database.unreachable' })
    await mayLogIn('login')
    expect(await work()).toEqual([{ one: 1 }])
    await daybook.close()
    const refused = await openDaybook({ databaseUrl: app, operatorUrl: operatorUrl.replace('passing@', 'another@'), logQueries: false })
    const opening = refused.operatorScope({ kind: 'operator', actor: { type: 'system', id: 'support' }, reason: 'a test' })
    await Promise.all([expect(opening).rejects.toMatchObject({ code: 'database.unreachable' }), refused.close()])
    expect(await refused.orm.isConnected()).toBe(false)
  } finally {
    await administer(administrator, `drop role ${name}`)
  }
})

test('whoever closes while connections are being made waits for no one', { timeout: 5_000 }, async () => {
  const daybook = await openDaybook({ databaseUrl: database.urls!.app, logQueries: false })
  const work = () => daybook.transact({ tenant: newId(), actor: { type: 'system', id: 'support' } }, em => em.execute('select 1'))
  const works = [work(), work(), work()]
  const outcomes = Promise.allSettled(works)
  // On the connection that was there; others are still being made.
  await Promise.race(works)
  await daybook.close()
  expect(await outcomes).toContainEqual(expect.objectContaining({ status: 'rejected' }))
})
