import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { systemActor, userActor } from '../../src/context/index.ts'
import { addProspect, authenticateSession, Organization, Prospect, registerOrganization, Role, signIn, User } from '../../src/entities.ts'
import {
  AuthService,
  checkDatabaseHealth,
  createTenantClient,
  PaginatedRepository,
  restore,
  RoleRepository,
  softDelete,
  transactionHelpers,
  UserRepository,
  withSoftDelete,
  withTenant,
} from '../../src/helpers/index.ts'
import { newId } from '../../src/kernel/id.ts'
import type { Daybook, ScopedEntityManager } from '../../src/orm/index.ts'
import { history } from '../../src/readers/index.ts'
import { openTestDaybook } from '../../src/testing/index.ts'

const password = 'a long enough one'
let daybook: Daybook
let tenant: string
let owner: string
let email: string

beforeAll(async () => {
  daybook = await openTestDaybook()
})
afterAll(() => daybook.close())
beforeEach(async () => {
  email = `${newId()}@example.com`
  const made = await registerOrganization(daybook, { email, password, organization: { name: 'Workshop' } })
  tenant = made.organization.id
  owner = made.user.id
})

const scope = () => daybook.scope({ tenant, actor: userActor(owner) })
const prospectIn = async (em: ScopedEntityManager, address: string) => {
  const prospect = await addProspect(em, { email: address })
  await em.flush()
  return prospect
}

describe('soft deletion', () => {
  test('a prospect is marked, hidden, told by the log, and brought back', async () => {
    const em = scope()
    const prospect = await prospectIn(em, 'ada@example.com')
    await softDelete(em, prospect)
    expect(await scope().findOne(Prospect, prospect.id)).toBeNull()
    expect(await scope().findOneOrFail(Prospect, prospect.id, { filters: { live: false } })).toMatchObject({ deletedAt: expect.any(Date) })
    const there = scope()
    await restore(there, [Prospect, prospect.id])
    expect(await scope().findOne(Prospect, prospect.id)).toMatchObject({ deletedAt: null })
    const told = await history(there, [Prospect, prospect.id])
    expect(told.map(({ changes }) => changes.map(change => change.property))).toEqual([
      expect.anything(),
      expect.arrayContaining(['deletedAt']),
      expect.arrayContaining(['deletedAt']),
    ])
  })

  test('a prospect whose address is taken meanwhile stays deleted, in memory too', async () => {
    const em = scope()
    const prospect = await prospectIn(em, 'ada@example.com')
    await softDelete(em, prospect)
    await prospectIn(em, 'ada@example.com')
    await expect(restore(em, prospect)).rejects.toMatchObject({ code: 'sales.email_taken' })
    expect(prospect.deletedAt).toBeInstanceOf(Date)
    await em.flush()
    expect(await scope().count(Prospect)).toBe(1)
  })

  test('an organization and a person can go and come back', async () => {
    const em = scope()
    await softDelete(em, [Organization, tenant])
    expect(await scope().findOneOrFail(Organization, tenant)).toMatchObject({ deletedAt: expect.any(Date) })
    await restore(em, [Organization, tenant])
    expect(await scope().findOneOrFail(Organization, tenant)).toMatchObject({ deletedAt: null })

    const { token } = (await signIn(daybook, { email, password }))!
    const own = daybook.scope({ kind: 'identity', actor: userActor(owner) })
    await softDelete(own, [User, owner])
    expect(await authenticateSession(daybook, token)).toBeUndefined()
    expect(await signIn(daybook, { email, password })).toBeUndefined()
    await restore(own, [User, owner])
    expect(await signIn(daybook, { email, password })).toBeDefined()
  })

  test('nobody deletes somebody else, or another tenant’s rows', async () => {
    const stranger = await registerOrganization(daybook, { email: `${newId()}@example.com`, password, organization: { name: 'Other' } })
    const prospect = await prospectIn(scope(), 'ada@example.com')
    const other = daybook.scope({ tenant: stranger.organization, actor: userActor(stranger.user) })
    await expect(softDelete(other, [Prospect, prospect.id])).rejects.toThrow()
    await expect(softDelete(other, [User, owner])).rejects.toThrow()
    expect(await scope().count(Prospect)).toBe(1)
    expect(await scope().findOneOrFail(User, owner)).toMatchObject({ deletedAt: null })
  })

  test('what is deleted for good can’t be marked', async () => {
    const em = scope()
    const [role] = await em.find(Role, {}, { limit: 1 })
    await expect(softDelete(em, role!)).rejects.toMatchObject({ code: 'helpers.not_soft_deletable', details: { entity: 'Role' } })
  })

  test('the condition serves entities without the filter', async () => {
    const em = scope()
    expect(withSoftDelete({ id: tenant })).toEqual({ id: tenant, deletedAt: null })
    expect(await em.count(Organization, withSoftDelete({ id: tenant }))).toBe(1)
    await softDelete(em, [Organization, tenant])
    expect(await em.count(Organization, withSoftDelete({ id: tenant }))).toBe(0)
  })
})

describe('pages', () => {
  let em: ScopedEntityManager
  beforeEach(async () => {
    em = scope()
    for (let index = 0; index < 7; index++)
      em.create(Prospect, { email: `p${index}@example.com`, score: index % 3 === 0 ? null : index % 3 })
    await em.flush()
  })
  const prospects = () => new PaginatedRepository(Prospect, { sortable: ['email', 'score', 'createdAt'], limit: 3 }, scope())

  test('by number, with a total', async () => {
    const second = await prospects().findPaginated({ page: 2, sortBy: 'email', sortOrder: 'desc' })
    expect(second.data.map(prospect => prospect.email[1])).toEqual(['3', '2', '1'])
    expect(second.pagination).toEqual({ page: 2, limit: 3, total: 7, totalPages: 3, hasNext: true, hasPrevious: true })
    expect((await prospects().findPaginated({ where: { score: 1 } })).pagination.total).toBe(2)
    expect((await prospects().findPaginated({ page: 9 })).data).toEqual([])
  })

  test.each([
    ['email', 'asc'],
    ['email', 'desc'],
    ['score', 'asc'],
    ['score', 'desc'],
    ['createdAt', 'desc'],
    ['id', 'asc'],
  ])('from where the last one ended, each row once, by %s %s', async (sortBy, sortOrder) => {
    const all = await prospects().findPaginated({ limit: 100, sortBy, sortOrder })
    const walked: string[] = []
    let after: string | null = null
    do {
      const page = await prospects().findAfter({ after, sortBy, sortOrder })
      expect(page.data.length).toBeLessThanOrEqual(3)
      walked.push(...page.data.map(({ id }) => id))
      after = page.next
    } while (after)
    expect(walked).toEqual(all.data.map(({ id }) => id))
    expect(new Set(walked).size).toBe(7)
  })

  test('a row that comes in between shifts no page', async () => {
    const first = await prospects().findAfter({ sortBy: 'email' })
    em.create(Prospect, { email: 'a-first@example.com' })
    await em.flush()
    const second = await prospects().findAfter({ sortBy: 'email', after: first.next })
    expect(second.data.map(prospect => prospect.email[1])).toEqual(['3', '4', '5'])
  })

  test.each(['nonsense', 'email.asc.nonsense', 'email.asc.W10', 'score.asc.WzEsMl0'])('cursor %s is refused by name', async after => {
    await expect(prospects().findAfter({ sortBy: 'email', after })).rejects.toMatchObject({ code: 'helpers.pagination_invalid' })
  })

  test('nobody sorts by what isn’t on the list', async () => {
    await expect(prospects().findPaginated({ sortBy: 'data' })).rejects.toMatchObject({ code: 'helpers.pagination_invalid' })
  })
})

describe('with the tenant at hand', () => {
  test('repositories and services need no EntityManager, and see one tenant', async () => {
    await withTenant(daybook, { tenant, actor: userActor(owner) }, async () => {
      const people = await new UserRepository().findPaginated({ page: 1, limit: 20 })
      expect(people.data.map(({ id }) => id)).toEqual([owner])
      const auth = new AuthService()
      expect(await auth.getUserPermissions(owner)).toContainEqual({
        key: 'organization:manage',
        path: ['membership', 'OWNER', 'organization:manage'],
      })
      expect(await auth.can(owner, 'organization:manage')).toBe(true)
    })
  })

  test('a repository makes, changes, finds and removes', async () => {
    const roles = new RoleRepository(scope())
    const { id } = await roles.create({ key: 'REVIEWER', name: 'Reviewer' })
    expect(await roles.update(id, { name: 'Reviews' })).toMatchObject({ name: 'Reviews' })
    expect(await new RoleRepository(scope()).findOne({ key: 'REVIEWER' })).toMatchObject({ id, name: 'Reviews' })
    expect(await roles.exists({ key: 'REVIEWER' })).toBe(true)
    await roles.delete(id)
    expect(await new RoleRepository(scope()).findById(id)).toBeNull()
    expect(await new RoleRepository(scope()).count({ key: 'REVIEWER' })).toBe(0)
  })

  test('a transaction commits wholly or not at all, and one inside it is a savepoint', async () => {
    const { withTransaction } = transactionHelpers
    const keys = async () => (await scope().find(Role, { isSystem: false })).map(({ key }) => key).toSorted()
    await withTenant(daybook, { tenant, actor: userActor(owner) }, async () => {
      await withTransaction(async tx => {
        tx.create(Role, { key: 'KEPT', name: 'Kept' })
        const inner = withTransaction(async nested => {
          nested.create(Role, { key: 'DROPPED', name: 'Dropped' })
          await nested.flush()
          expect(await new RoleRepository().exists({ key: 'DROPPED' })).toBe(true)
          throw new Error('changed my mind')
        })
        await expect(inner).rejects.toThrow('changed my mind')
      })
      const outer = withTransaction(async tx => {
        tx.create(Role, { key: 'LOST', name: 'Lost' })
        await tx.flush()
        throw new Error('all of it')
      })
      await expect(outer).rejects.toThrow('all of it')
    })
    expect(await keys()).toEqual(['KEPT'])
  })

  test('have the EntityManager that daybook.current() gives, in a transaction too', async () => {
    const taken = async (em: ScopedEntityManager) => {
      await new RoleRepository().create({ key: 'TAKEN', name: 'Taken' })
      expect(daybook.current()).toBe(em)
      expect(await em.count(Role, { key: 'TAKEN' })).toBe(1)
    }
    await withTenant(daybook, { tenant, actor: userActor(owner) }, async em => {
      expect(daybook.current()).toBe(em)
      await transactionHelpers.withTransaction(async () => transactionHelpers.withTransaction(tx => taken(tx)))
    })
    const undone = daybook.transact({ tenant, actor: userActor(owner) }, async em => {
      await new RoleRepository().create({ key: 'UNDONE', name: 'Undone' })
      expect(await em.count(Role, { key: 'UNDONE' })).toBe(1)
      throw new Error('all of it')
    })
    await expect(undone).rejects.toThrow('all of it')
    expect(await scope().count(Role, { key: { $in: ['TAKEN', 'UNDONE'] } })).toBe(1)
  })

  test('without one they say so', () => {
    expect(() => new UserRepository()).toThrow(expect.objectContaining({ code: 'tenancy.context_missing' }))
    expect(() => transactionHelpers.withTransaction(async () => {})).toThrow(
      expect.objectContaining({ code: 'tenancy.context_missing', message: expect.stringContaining('withTenant') }),
    )
  })

  test('a client for many tenants gives each its own EntityManager', async () => {
    const other = await registerOrganization(daybook, { email: `${newId()}@example.com`, password, organization: { name: 'Other' } })
    const { forTenant, withTenant: inTenant } = createTenantClient(daybook, systemActor('import'))
    const em = forTenant(tenant)
    em.create(Role, { key: 'IMPORTED', name: 'Imported' })
    await em.flush()
    expect(await forTenant(tenant).count(Role, { key: 'IMPORTED' })).toBe(1)
    expect(await inTenant(other.organization, there => there.count(Role, { key: 'IMPORTED' }))).toBe(0)
  })

  test('tenants that work at once don’t see each other’s EntityManager', async () => {
    const other = await registerOrganization(daybook, { email: `${newId()}@example.com`, password, organization: { name: 'Other' } })
    const owners = await Promise.all(
      [
        { tenant, actor: userActor(owner) },
        { tenant: other.organization, actor: userActor(other.user) },
      ].map(each =>
        withTenant(daybook, each, async () => {
          await new Promise(resolve => setTimeout(resolve, 5))
          return (await new UserRepository().findMany()).map(({ id }) => id)
        }),
      ),
    )
    expect(owners).toEqual([[owner], [other.user.id]])
  })
})

describe('health', () => {
  test('a sound database is healthy, with its version and how long it took to answer', async () => {
    const health = await checkDatabaseHealth(daybook)
    expect(health).toMatchObject({
      status: 'healthy',
      database: daybook.embedded ? 'embedded' : 'server',
      pendingMigrations: [],
      isolationProblems: [],
      failures: [],
    })
    expect(health.serverVersion).toMatch(/^1[5-9]/)
    expect(health.latencyMs).toBeGreaterThanOrEqual(0)
  })

  test('one that is closed is unhealthy, and nothing is thrown', async () => {
    const closed = await openTestDaybook()
    await closed.close()
    const health = await checkDatabaseHealth(closed)
    expect(health).toMatchObject({ status: 'unhealthy', latencyMs: null, checks: { database: 'failed' } })
    expect(health.failures.map(({ check }) => check)).toEqual(['database'])
  })
})
