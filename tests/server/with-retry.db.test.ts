import { IsolationLevel, LockMode } from '@mikro-orm/core'
import { connect, createServer, type Server, type Socket } from 'node:net'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { systemActor } from '../../src/context/index.ts'
import { Role } from '../../src/entities.ts'
import { withRetry } from '../../src/helpers/index.ts'
import { newId } from '../../src/kernel/id.ts'
import { openDaybook } from '../../src/open-daybook.ts'
import type { Daybook, ScopedEntityManager } from '../../src/orm/index.ts'
import { openTestDatabase, type TestDatabase } from '../../src/testing/index.ts'

/** Every conflict here is a real one. `attempts: 1` leaves the repeating to `withRetry`. */
let database: TestDatabase
let daybook: Daybook
let witness: pg.Client
const scope = { tenant: newId(), actor: systemActor('test') }
const once = { attempts: 1 }

beforeAll(async () => {
  database = await openTestDatabase({ limits: { statementTimeoutMs: 20_000, lockTimeoutMs: 200, idleTimeoutMs: 20_000 } })
  daybook = database.daybook
  witness = new pg.Client({ connectionString: database.urls!.administrator })
  await witness.connect()
})
afterEach(() => daybook.transact(scope, em => em.nativeDelete(Role, {})))
afterAll(async () => {
  await witness.end()
  await daybook.close()
})

const roleNamed = (em: ScopedEntityManager, key: string) => em.create(Role, { key, name: '0' })
const increment = async (em: ScopedEntityManager, key: string) => {
  const role = await em.findOneOrFail(Role, { key })
  role.name = String(Number(role.name) + 1)
  await em.flush()
}
const nameOf = async (key: string) => (await daybook.scope(scope).findOneOrFail(Role, { key })).name

test('of ten who change one row at once under serializable isolation each gets through, and no change is lost', async () => {
  await daybook.transact(scope, async em => void roleNamed(em, 'COUNTER'))
  let tries = 0
  const changes = Array.from({ length: 10 }, () =>
    withRetry(
      () => {
        tries++
        return daybook.transact(scope, em => increment(em, 'COUNTER'), { ...once, isolation: IsolationLevel.SERIALIZABLE })
      },
      50,
      5,
    ),
  )
  await Promise.all(changes)
  expect(await nameOf('COUNTER')).toBe('10')
  expect(tries).toBeGreaterThan(10)
})

test('a deadlock ends with both through', async () => {
  await daybook.transact({ ...scope }, async em => void [roleNamed(em, 'A'), roleNamed(em, 'B')])
  let tries = 0
  // Both take their first row before either asks for its second.
  const waiting: (() => void)[] = []
  const bothHaveOne = () =>
    new Promise<void>(resolve => {
      if (waiting.push(resolve) >= 2) for (const goOn of waiting) goOn()
    })
  const patient = await openDaybook({
    databaseUrl: database.urls!.app,
    logQueries: false,
    masterKeys: [Buffer.alloc(32, 'daybook tests').toString('base64')],
    limits: { statementTimeoutMs: 20_000, lockTimeoutMs: 10_000, idleTimeoutMs: 20_000 },
  })
  const codes: unknown[] = []
  const inOrder = (first: string, second: string) =>
    withRetry(
      async () => {
        tries++
        try {
          return await patient.transact(
            scope,
            async em => {
              await em.findOneOrFail(Role, { key: first }, { lockMode: LockMode.PESSIMISTIC_WRITE })
              await bothHaveOne()
              await em.findOneOrFail(Role, { key: second }, { lockMode: LockMode.PESSIMISTIC_WRITE })
              await increment(em, first)
            },
            once,
          )
        } catch (error) {
          codes.push((error as { code?: string }).code)
          throw error
        }
      },
      3,
      20,
    )
  await Promise.all([inOrder('A', 'B'), inOrder('B', 'A')])
  await patient.close()
  expect([await nameOf('A'), await nameOf('B')]).toEqual(['1', '1'])
  expect(codes).toEqual(['40P01'])
  expect(tries).toBe(3)
})

test('a lock that isn’t granted in time is asked for again', async () => {
  await daybook.transact(scope, async em => void roleNamed(em, 'LOCKED'))
  await witness.query('begin')
  await witness.query(`select from role where key = 'LOCKED' for update`)
  const codes: unknown[] = []
  await withRetry(
    async () => {
      try {
        await daybook.transact(scope, em => increment(em, 'LOCKED'), once)
      } catch (error) {
        codes.push((error as { code?: string }).code)
        await witness.query('commit')
        throw error
      }
    },
    3,
    10,
  )
  expect(codes).toEqual(['55P03'])
  expect(await nameOf('LOCKED')).toBe('1')
})

test('a connection that is cut before the commit is no loss', async () => {
  let tries = 0
  await withRetry(
    () => {
      tries++
      return daybook.transact(scope, async em => {
        roleNamed(em, 'CUT')
        await em.flush()
        if (tries === 1) await endOthers()
        await em.count(Role)
      })
    },
    3,
    20,
  )
  expect(tries).toBe(2)
  expect(await daybook.scope(scope).count(Role, { key: 'CUT' })).toBe(1)
})

test('connections that were cut leave their places in the pool', async () => {
  for (let cut = 0; cut < 12; cut++) {
    const attempt = daybook.transact(scope, async em => {
      await em.count(Role)
      await endOthers()
      await em.count(Role)
    })
    await expect(attempt).rejects.toThrow()
  }
  expect(await daybook.scope(scope).count(Role)).toBe(0)
})

test('a commit whose answer never came is not repeated, because it may have happened', async () => {
  const { server, url } = await cutting(/\bcommit\b/)
  const behind = await openDaybook({
    databaseUrl: url,
    logQueries: false,
    masterKeys: [Buffer.alloc(32, 'daybook tests').toString('base64')],
  })
  let tries = 0
  const attempt = withRetry(
    () => {
      tries++
      return behind.transact(scope, async em => void roleNamed(em, `DOUBT${tries}`))
    },
    3,
    5,
  )
  await expect(attempt).rejects.toMatchObject({ code: 'transaction.outcome_unknown' })
  expect(tries).toBe(1)
  // It happens, soon if not yet: whoever had repeated it would have two.
  await expect.poll(() => daybook.scope(scope).count(Role, { key: { $like: 'DOUBT%' } })).toBe(1)
  await behind.close()
  server.close()
})

test('the same holds for a statement that is a transaction of its own', async () => {
  const { server, url } = await cutting(/create table/)
  const behind = await openDaybook({ databaseUrl: url, logQueries: false })
  const connection = behind.orm.driver.getConnection()
  const attempt = withRetry(() => connection.execute('create table pg_temp.somewhere (id int)'), 3, 5)
  await expect(attempt).rejects.toMatchObject({ code: 'transaction.outcome_unknown' })
  await behind.close()
  server.close()
})

test.each([
  ['a rule that is broken', () => daybook.transact(scope, async em => void em.create(Role, { key: 'X', name: 'X', parent: newId() }))],
  ['a mistake of ours', () => Promise.reject(new TypeError('x is not a function'))],
  [
    'a statement that took too long',
    () => daybook.transact(scope, em => em.execute(`set local statement_timeout = 20; select pg_sleep(1)`)),
  ],
])('%s is final', async (_what, work) => {
  let tries = 0
  const attempt = withRetry(() => {
    tries++
    return work()
  })
  await expect(attempt).rejects.toThrow()
  expect(tries).toBe(1)
})

test('it gives up after as many times as it was told, with the last failure', async () => {
  let tries = 0
  const attempt = withRetry(
    () => {
      tries++
      return Promise.reject(Object.assign(new Error(`conflict ${tries}`), { code: '40001' }))
    },
    2,
    1,
  )
  await expect(attempt).rejects.toThrow('conflict 3')
  expect(tries).toBe(3)
})

async function endOthers(): Promise<void> {
  await witness.query(
    `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and usename = 'daybook_app'`,
  )
}

/** A way to the server that hands on what the words describe, and then breaks before the answer is back. */
async function cutting(words: RegExp): Promise<{ server: Server; url: string }> {
  const target = new URL(database.urls!.app)
  const server = createServer((near: Socket) => {
    const far = connect(Number(target.port), target.hostname)
    let isCut = false
    near.on('data', data => {
      isCut ||= words.test(data.toString('latin1'))
      far.write(data)
    })
    far.on('data', data => (isCut ? near.destroy() : near.write(data)))
    near.on('close', () => far.end())
    far.on('close', () => near.destroy())
    for (const socket of [near, far]) socket.on('error', () => {})
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const url = new URL(target)
  url.port = String((server.address() as { port: number }).port)
  url.hostname = '127.0.0.1'
  return { server, url: url.toString() }
}
