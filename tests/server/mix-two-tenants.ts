import { expect } from 'vitest'
import { userActor } from '../../src/context/index.ts'
import { type Organization, registerOrganization, Role, type User } from '../../src/entities.ts'
import { newId } from '../../src/kernel/id.ts'
import type { Daybook } from '../../src/orm/index.ts'

interface Side {
  readonly user: User
  readonly organization: Organization
}

/**
 * Requests of two tenants at once, every second one for each: reads with and without a transaction, raw SQL, writes, transactions that
 * fail in the middle, and whole transactions in one message, which may fail as well. Each asserts that all it saw is its own.
 */
export async function mixTwoTenants(daybook: Daybook, requests: number): Promise<{ requests: number; connections: number }> {
  const register = () =>
    registerOrganization(daybook, { email: `${newId()}@example.com`, password: 'a long enough one', organization: { name: 'Mixed' } })
  const sides = [await register(), await register()]
  const backends = new Set<number>()
  const outcomes = await Promise.allSettled(
    Array.from({ length: requests }, (_, index) => request(daybook, sides[index % 2]!, index, backends)),
  )
  const failures = outcomes.filter(outcome => outcome.status === 'rejected').map(({ reason }) => String(reason))
  expect(failures).toEqual([])
  for (const side of sides)
    expect(await daybook.scope(scopeOf(side)).count(Role, { isSystem: false })).toBe(written(requests, sides.indexOf(side)))
  return { requests: outcomes.length, connections: backends.size }
}

const scopeOf = ({ user, organization }: Side) => ({ tenant: organization, actor: userActor(user) })

/** Of each twelve requests the third kind writes. */
const written = (requests: number, side: number) =>
  Array.from({ length: requests }, (_, index) => index).filter(index => index % 2 === side && kindOf(index) === 2).length
const kindOf = (index: number) => Math.floor(index / 2) % 6

const question = (sql: string) => ({ sql, params: [] })

async function request(daybook: Daybook, side: Side, index: number, backends: Set<number>): Promise<void> {
  const own = (rows: readonly { tenantId: string }[]) =>
    expect(new Set(rows.map(({ tenantId }) => tenantId))).toEqual(new Set([side.organization.id]))
  const kinds = [
    async () => own(await daybook.scope(scopeOf(side)).find(Role, {}, { filters: false })),
    async () => {
      const rows = await daybook.scope(scopeOf(side)).execute<{ tenantId: string }[]>('select tenant_id as "tenantId" from role')
      own(rows)
    },
    () =>
      daybook.transact(scopeOf(side), async em => {
        const [backend] = await em.execute<{ pid: number }[]>('select pg_backend_pid() as pid')
        backends.add(backend!.pid)
        em.create(Role, { key: `MIX_${index}`, name: 'Mixed' })
        await em.flush()
        own(await em.find(Role, {}, { filters: false }))
      }),
    async () => {
      const failing = daybook.transact(scopeOf(side), async em => {
        await em.execute('update role set name = name')
        throw new Error('on purpose')
      })
      await expect(failing).rejects.toThrow('on purpose')
    },
    async () => {
      const [rows] = await daybook.ask(scopeOf(side), [question('select tenant_id as "tenantId" from role')])
      own(rows as unknown as { tenantId: string }[])
    },
    async () => {
      const failing = daybook.ask(scopeOf(side), [question('select tenant_id from role'), question('select 1 / 0')])
      await expect(failing).rejects.toThrow('division by zero')
    },
  ]
  await kinds[kindOf(index)]!()
}
