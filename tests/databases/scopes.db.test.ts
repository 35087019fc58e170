import { AsyncLocalStorage } from 'node:async_hooks'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { systemActor, tenantContext, userActor } from '../../src/context/index.ts'
import { Organization, registerOrganization, Role, type User } from '../../src/entities.ts'
import { transactionHelpers } from '../../src/helpers/index.ts'
import { newId } from '../../src/kernel/id.ts'
import { Daybook, ScopedEntityManager } from '../../src/orm/index.ts'
import { openTestDaybook } from '../../src/testing/index.ts'

let daybook: Daybook
let one: { user: User; organization: Organization }
let two: { user: User; organization: Organization }

beforeAll(async () => {
  daybook = await openTestDaybook()
  const register = (name: string) =>
    registerOrganization(daybook, { email: `${newId()}@example.com`, password: 'a long enough one', organization: { name } })
  one = await register('One')
  two = await register('Two')
})
afterAll(() => daybook.close())

const scopeOf = ({ user, organization }: typeof one) => ({ tenant: organization, actor: userActor(user) })

describe('an EntityManager keeps its scope for life', () => {
  const immutable = { code: 'scope.immutable' }

  test('its tenant, its session and a fork’s session can’t be changed', () => {
    const em = daybook.scope(scopeOf(one))
    const attempts = [
      () => em.setFilterParams('tenant', { scope: { kind: 'operator' } }),
      () => em.setSessionContext({ variables: { 'daybook.tenant_id': two.organization.id } }),
      () => em.clearSessionContext(),
      () => em.fork({ session: { variables: { 'daybook.tenant_id': two.organization.id } } }),
    ]
    for (const attempt of attempts) expect(attempt).toThrow(expect.objectContaining(immutable))
  })

  test('inside its transactions and in its forks too', async () => {
    const em = daybook.scope(scopeOf(one))
    await em.transactional(async inner => {
      expect(inner.boundScope).toBe(em.boundScope)
      expect(() => inner.setFilterParams('tenant', {})).toThrow(expect.objectContaining(immutable))
    })
    const fork = em.fork()
    expect(fork).toBeInstanceOf(ScopedEntityManager)
    expect(fork.boundScope).toBe(em.boundScope)
    expect(() => fork.setFilterParams('tenant', {})).toThrow(expect.objectContaining(immutable))
  })
})

describe('without a scope', () => {
  const missing = { code: 'tenancy.context_missing' }

  test('a policy that asks for a variable nobody set is the same one error', async () => {
    const em = daybook.orm.em.fork()
    await expect(em.getConnection().execute(`select 1`)).resolves.toBeDefined()
    const unset = daybook.transact({ kind: 'identity', actor: systemActor('test') }, inner =>
      inner.execute(`select current_setting('daybook.never_set')`),
    )
    await expect(unset).rejects.toMatchObject(missing)
    const empty = daybook.transact({ kind: 'identity', actor: systemActor('test') }, inner => inner.execute(`select ''::uuid`))
    await expect(empty).rejects.toMatchObject(missing)
  })

  test('the error names entity, operation and remedy', async () => {
    await expect(daybook.orm.em.fork().find(Role, {})).rejects.toThrow(
      /Role belongs to a tenant, and this read ran without one\. Work through daybook\.scope/,
    )
  })
})

test('code without an EntityManager at hand works in the scope of the work at hand', async () => {
  const count = () => daybook.current().count(Role, { isSystem: true })
  const resolved = daybook.scope(scopeOf(one)).boundScope!
  expect(await tenantContext.run(resolved, count)).toBe(10)
  expect(() => daybook.current()).toThrow(expect.objectContaining({ code: 'tenancy.context_missing' }))
})

test('code without an EntityManager at hand works in the transaction that runs', async () => {
  let late = (): ScopedEntityManager => daybook.current()
  const added = async (key: string) => void daybook.current().create(Role, { key, name: key })
  await daybook.transact(scopeOf(one), async em => {
    await added('AT_HAND')
    expect(daybook.current()).toBe(em)
    expect(await em.count(Role, { key: 'AT_HAND' })).toBe(1)
    late = AsyncLocalStorage.bind(() => daybook.current())
    // On a server, for the embedded database has one connection.
    if (!daybook.embedded) {
      await daybook.transact(scopeOf(two), async inner => expect(daybook.current()).toBe(inner))
      await daybook.transact({ kind: 'operator', actor: systemActor('test'), reason: 'a test' }, async () =>
        expect(daybook.current()).toBe(em),
      )
    }
    const resolved = daybook.scope(scopeOf(two)).boundScope!
    expect(tenantContext.run(resolved, () => daybook.current()).boundScope).toBe(resolved)
  })
  expect(await daybook.scope(scopeOf(one)).count(Role, { key: 'AT_HAND' })).toBe(1)
  // What wasn't waited for has the tenant still, and an EntityManager of its own.
  expect(await late().count(Role, { key: 'AT_HAND' })).toBe(1)
})

test('an operator sees all tenants, names the tenant on what is new, and says why', async () => {
  const scope = { kind: 'operator', actor: systemActor('support'), reason: 'a test' } as const
  const em = await daybook.operatorScope(scope)
  const found = await em.find(Organization, { id: { $in: [one.organization.id, two.organization.id] } })
  expect(found).toHaveLength(2)
  expect(await em.count(Role, { key: 'OWNER' })).toBeGreaterThanOrEqual(2)
  await expect(daybook.transact(scope, async inner => void inner.create(Role, { key: 'X', name: 'X' }))).rejects.toMatchObject({
    code: 'scope.invalid',
  })
  await daybook.transact(scope, async inner => void inner.create(Role, { tenantId: two.organization.id, key: 'BY_OPERATOR', name: 'X' }))
  expect(await daybook.scope(scopeOf(two)).count(Role, { key: 'BY_OPERATOR' })).toBe(1)
  await expect(daybook.operatorScope({ ...scope, reason: '' })).rejects.toMatchObject({ code: 'scope.invalid' })
})

test('after an operator’s work the next scope is an ordinary one again', async () => {
  await daybook.transact({ kind: 'operator', actor: systemActor('support'), reason: 'a test' }, em => em.count(Role))
  const [row] = await daybook.scope(scopeOf(one)).execute<{ current_user: string }[]>('select current_user')
  expect(row).toEqual({ current_user: 'daybook_app' })
})

test('a Daybook around a seeder’s EntityManager works within the time-outs that it is given', async () => {
  const limits = { statementTimeoutMs: 7_001, lockTimeoutMs: 7_002, idleTimeoutMs: 7_003 }
  const around = Daybook.around(daybook.orm.em.fork(), { limits, installation: 'here.example' })
  const settings = ['statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout']
  const [row] = await around.transact(scopeOf(one), em =>
    em.execute<object[]>(`select ${settings.map(name => `current_setting('${name}') as ${name}`).join(', ')}`),
  )
  expect(Object.values(row!)).toEqual(['7001ms', '7002ms', '7003ms'])
  expect(around.installation).toBe('here.example')
})

describe('a transaction', () => {
  test('is all or nothing', async () => {
    const attempt = daybook.transact(scopeOf(one), async em => {
      em.create(Role, { key: 'HALF', name: 'Half' })
      await em.flush()
      throw new Error('stop')
    })
    await expect(attempt).rejects.toThrow('stop')
    expect(await daybook.scope(scopeOf(one)).count(Role, { key: 'HALF' })).toBe(0)
  })

  test('that is read only refuses to write', async () => {
    const attempt = daybook.transact(scopeOf(one), async em => void em.create(Role, { key: 'RO', name: 'RO' }), { readOnly: true })
    await expect(attempt).rejects.toThrow(/read-only transaction/)
  })

  test('that lost a conflict is tried again with a fresh EntityManager', async () => {
    const seen = new Set<ScopedEntityManager>()
    const result = await daybook.transact(scopeOf(one), async em => {
      seen.add(em)
      if (seen.size < 3) await em.execute(`do $$ begin raise exception using errcode = '40001'; end $$`)
      return seen.size
    })
    expect(result).toBe(3)
  })

  test('that loses every time gives up with the conflict', async () => {
    let attempts = 0
    const attempt = daybook.transact(
      scopeOf(one),
      em => (attempts++, em.execute(`do $$ begin raise exception using errcode = '40P01'; end $$`)),
      { attempts: 2 },
    )
    await expect(attempt).rejects.toMatchObject({ code: '40P01' })
    expect(attempts).toBe(2)
  })

  test('carries who acts, why and in which request', async () => {
    const scope = { ...scopeOf(one), reason: 'import', requestId: 'r-1', correlationId: 'c-1' }
    const [row] = await daybook
      .scope(scope)
      .execute(
        `select current_setting('daybook.actor_id') as actor, current_setting('daybook.reason') as reason, current_setting('daybook.request_id') as request`,
      )
    expect(row).toEqual({ actor: one.user.id, reason: 'import', request: 'r-1' })
  })

  test('leaves nothing of its scope on the connection', async () => {
    await daybook.transact(scopeOf(one), em => em.count(Role))
    const [row] = await daybook.orm.em.getConnection().execute(`select current_setting('daybook.tenant_id', true) as tenant`)
    expect(row?.tenant || null).toBeNull()
  })
})

test('raw SQL moves updated_at by itself', async () => {
  const em = daybook.scope(scopeOf(one))
  const before = await em.findOneOrFail(Role, { key: 'CLIENT' })
  await new Promise(resolve => setTimeout(resolve, 5))
  await em.execute(`update role set name = 'Customer' where key = 'CLIENT'`)
  const after = await em.fork().findOneOrFail(Role, { key: 'CLIENT' })
  expect(after.updatedAt.getTime()).toBeGreaterThan(before.updatedAt.getTime())
})

test('two people who change one version: one wins, the other is told', async () => {
  const [mine, theirs] = [daybook.scope(scopeOf(one)), daybook.scope(scopeOf(one))]
  const role = await mine.findOneOrFail(Role, { key: 'USER' })
  const same = await theirs.findOneOrFail(Role, { key: 'USER' })
  role.name = 'Mine'
  same.name = 'Theirs'
  await mine.flush()
  await expect(theirs.flush()).rejects.toThrow(/optimistic lock/i)
  expect((await mine.fork().findOneOrFail(Role, { key: 'USER' })).name).toBe('Mine')
})

test('a scope costs less than 30 microseconds of this thread, whatever else the machine does', { retry: 2 }, () => {
  const scope = scopeOf(one)
  for (let count = 0; count < 2_000; count++) daybook.scope(scope)
  const before = process.threadCpuUsage()
  for (let count = 0; count < 5_000; count++) daybook.scope(scope)
  const { user, system } = process.threadCpuUsage(before)
  expect((user + system) / 5_000).toBeLessThan(30)
})

describe('what nobody waited for', () => {
  const gate = () => Promise.withResolvers<void>()
  const tenantSeen = async (em: ScopedEntityManager) =>
    (await em.execute<{ seen: string }[]>(`select current_setting('daybook.tenant_id') as seen`))[0]!.seen

  test('in a nested transaction has no part in another tenant’s that comes after it', async () => {
    const [isOver, isAsked] = [gate(), gate()]
    let captured: Promise<string> | undefined
    let asked: Promise<string> | undefined
    await daybook.transact(scopeOf(one), async () => {
      await transactionHelpers.withTransaction(async inner => {
        captured = isOver.promise.then(() => tenantSeen(inner))
        asked = isOver.promise.then(() => tenantSeen(daybook.current()))
        captured.catch(() => undefined)
      })
    })
    const other = daybook.transact(scopeOf(two), async em => {
      expect(await tenantSeen(em)).toBe(two.organization.id)
      isOver.resolve()
      await expect(captured).rejects.toMatchObject({ code: 'transaction.over' })
      await isAsked.promise
    })
    await expect(captured).rejects.toMatchObject({ code: 'transaction.over' })
    isAsked.resolve()
    await other
    expect(await asked).toBe(one.organization.id)
  })
})

test('work that is left out of the query log is left out as a whole, nested transactions too', async () => {
  const logQuery = vi.spyOn(daybook.orm.driver.getConnection() as unknown as QueryLog, 'logQuery')
  const told = async (unlogged: boolean) => {
    logQuery.mockClear()
    const nested = (em: ScopedEntityManager) =>
      em.transactional(async inner => {
        await inner.find(Role, {})
        await inner.execute('select 1')
      })
    await daybook.transact(scopeOf(one), nested, { unlogged })
    return logQuery.mock.calls.filter(([, context]) => context?.enabled !== false).map(([query]) => query)
  }
  expect(await told(true)).toEqual([])
  expect(await told(false)).toEqual(expect.arrayContaining(['select 1', expect.stringMatching(/^savepoint/)]))
  logQuery.mockRestore()
})

/** What the ORM keeps to itself. */
interface QueryLog {
  logQuery(query: string, context?: { readonly enabled?: boolean }): void
}
