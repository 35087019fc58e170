import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { systemActor } from '../../src/context/index.ts'
import { registerOrganization } from '../../src/domain/access/index.ts'
import { Project } from '../../src/entities.ts'
import { openTestDatabase, type TestDatabase } from '../../src/testing/index.ts'

/** One connection, so that whatever a question leaves behind is found by the next. */
let database: TestDatabase
let witness: pg.Client
let acme: string
let zenith: string

const scopeOf = (tenant: string) => ({ tenant, actor: systemActor('test') })
const question = (sql: string, params: unknown[] = []) => ({ sql, params })
const slugs = question('select slug from project order by slug')
const pidOf = async (tenant: string) => {
  const [[row] = []] = await database.daybook.ask(scopeOf(tenant), [question('select pg_backend_pid() as pid')])
  return row!.pid
}

beforeAll(async () => {
  database = await openTestDatabase({ poolMax: 1 })
  witness = new pg.Client(database.urls!.administrator)
  await witness.connect()
  const register = async (name: string) => {
    const email = `somebody@${name}.example`
    const { organization } = await registerOrganization(database.daybook, {
      email,
      password: 'a long and private sentence',
      organization: { name },
    })
    await database.daybook.transact(scopeOf(organization.id), async em => void em.create(Project, { name, slug: name }))
    return organization.id
  }
  ;[acme, zenith] = [await register('acme'), await register('zenith')]
})
afterAll(async () => {
  await witness.end()
  await database.daybook.close()
})

test('each tenant’s questions are answered from its own rows, one after another and all at once', async () => {
  const asked = Array.from({ length: 40 }, (_none, index) => (index % 2 ? acme : zenith))
  const answers = await Promise.all(asked.map(tenant => database.daybook.ask(scopeOf(tenant), [slugs])))
  expect(answers.map(([rows]) => rows)).toEqual(asked.map(tenant => [{ slug: tenant === acme ? 'acme' : 'zenith' }]))
})

test('without a tenant there are none', async () => {
  const actor = systemActor('test')
  expect(await database.daybook.ask({ kind: 'identity', actor }, [slugs])).toEqual([[]])
})

test('it is one message, and nothing of it stays on the connection', async () => {
  const pid = await pidOf(acme)
  const { rows } = await witness.query<{ query: string; state: string }>('select query, state from pg_stat_activity where pid = $1', [pid])
  expect(rows[0]!.state).toBe('idle')
  expect(rows[0]!.query).toMatch(
    /^set transaction isolation level repeatable read read only; set local .*; select pg_backend_pid\(\) as pid$/,
  )
  const left = await database.daybook.orm.em.getConnection().execute(`select current_setting('daybook.tenant_id', true) as tenant`)
  expect(left).toEqual([{ tenant: '' }])
})

test('what is given as a value is never a statement', async () => {
  const evil = `'; rollback; select slug from project; --\\`
  const [[row] = []] = await database.daybook.ask(scopeOf(acme), [question('select ? as said, ? as also', [evil, '?'])])
  expect(row).toEqual({ said: evil, also: '?' })
})

test('all questions see one snapshot', async () => {
  const sleeping = question('select pg_sleep(0.3)')
  const count = question('select count(*)::int as many from project')
  const answers = database.daybook.ask(scopeOf(acme), [count, sleeping, count])
  await sleep(100)
  await witness.query(`insert into project (id, tenant_id, name, slug) values (gen_random_uuid(), $1, 'late', 'late')`, [acme])
  const [before, , after] = await answers
  expect(after).toEqual(before)
  expect(await database.daybook.ask(scopeOf(acme), [count])).toEqual([[{ many: Number(before![0]!.many) + 1 }]])
})

test('nothing can be written, and the connection is as good as before', async () => {
  const pid = await pidOf(acme)
  const writing = question(`update project set name = 'x' returning id`)
  await expect(database.daybook.ask(scopeOf(acme), [slugs, writing])).rejects.toThrow(/read-only transaction/)
  await expect(database.daybook.ask(scopeOf(acme), [question('select nothing from nowhere'), slugs])).rejects.toThrow(/nowhere/)
  expect(await pidOf(zenith)).toBe(pid)
  expect(await database.daybook.ask(scopeOf(zenith), [slugs])).toEqual([[{ slug: 'zenith' }]])
})

test('whoever leaves stops what runs for them, and nobody else’s', async () => {
  const pid = await pidOf(acme)
  const controller = new AbortController()
  const startedAt = performance.now()
  const waiting = database.daybook.ask(scopeOf(acme), [question('select pg_sleep(20)')], { signal: controller.signal })
  const next = database.daybook.ask(scopeOf(zenith), [question('select pg_sleep(0.2)'), slugs])
  await sleep(100)
  controller.abort()
  await expect(waiting).rejects.toMatchObject({ code: 'transaction.abandoned' })
  expect((await next)[1]).toEqual([{ slug: 'zenith' }])
  expect(performance.now() - startedAt).toBeLessThan(10_000)
  expect(await pidOf(acme)).toBe(pid)
  await expect(database.daybook.ask(scopeOf(acme), [slugs], { signal: controller.signal })).rejects.toMatchObject({
    code: 'transaction.abandoned',
  })
})

test('whoever comes next, with a transaction of another kind, isn’t taken for them', async () => {
  const pid = await pidOf(acme)
  const controller = new AbortController()
  const waiting = database.daybook.ask(scopeOf(acme), [question('select pg_sleep(20)')], { signal: controller.signal })
  const left = expect(waiting).rejects.toMatchObject({ code: 'transaction.abandoned' })
  await sleep(100)
  controller.abort()
  await left
  expect(await database.daybook.transact(scopeOf(zenith), em => em.execute('select pg_backend_pid() as pid, slug from project'))).toEqual([
    { pid, slug: 'zenith' },
  ])
})

test('a connection that the server ended is replaced', async () => {
  const pid = await pidOf(acme)
  const waiting = database.daybook.ask(scopeOf(acme), [question('select pg_sleep(20)')])
  const refused = expect(waiting).rejects.toMatchObject({ code: '57P01' })
  await sleep(100)
  await witness.query('select pg_terminate_backend($1)', [pid])
  await refused
  expect(await pidOf(acme)).not.toBe(pid)
})
