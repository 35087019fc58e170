import { type EventSubscriber, LockMode } from '@mikro-orm/core'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { userActor } from '../../src/context/index.ts'
import {
  acceptInvitation,
  ApiKey,
  authenticateApiKey,
  can,
  createRole,
  deleteRole,
  explain,
  getUserPermissions,
  grantPermission,
  grantRole,
  inherit,
  Invitation,
  inviteMember,
  issueApiKey,
  Membership,
  Organization,
  PasswordCredential,
  reactivateMember,
  registerOrganization,
  removeMember,
  Role,
  RolePermission,
  suspendMember,
  updateRole,
  User,
} from '../../src/entities.ts'
import { newId } from '../../src/kernel/id.ts'
import type { Daybook, ScopedEntityManager } from '../../src/orm/index.ts'
import { openTestDaybook } from '../../src/testing/index.ts'
import { type Company, foundCompany, hireInto, membershipOf, newAddress, password, roleOf } from './company.ts'

let daybook: Daybook
const company = () => foundCompany(daybook)
const hire = (firm: Company, key?: string) => hireInto(daybook, firm, key)

beforeAll(async () => {
  daybook = await openTestDaybook()
})
afterAll(() => daybook.close())

/** Listens while the work lasts. */
async function listening<T>(subscriber: EventSubscriber, work: () => Promise<T>): Promise<T> {
  const events = daybook.orm.em.getEventManager()
  events.registerSubscriber(subscriber)
  try {
    return await work()
  } finally {
    events.getSubscribers().delete(subscriber)
  }
}

test('a registration that fails at its very end leaves no row', async () => {
  const ids = { user: newId(), organization: newId() }
  let written = 0
  const failing: EventSubscriber = {
    beforeTransactionCommit: async ({ em }) => {
      written = await em.count(Membership)
      throw new Error('the power is gone')
    },
  }
  const register = () => registerOrganization(daybook, { email: newAddress(), password, organization: { name: 'Late' }, ids })
  await expect(listening(failing, register)).rejects.toThrow('the power is gone')
  expect(written).toBe(1)
  const tenant = daybook.scope({ tenant: ids.organization, actor: userActor(ids.user) })
  const own = daybook.scope({ kind: 'identity', actor: userActor(ids.user) })
  const left = [tenant.count(Organization), tenant.count(Role), tenant.count(Membership), own.count(User), own.count(PasswordCredential)]
  expect(await Promise.all(left)).toEqual([0, 0, 0, 0, 0])
  await register()
})

describe('a denial', () => {
  async function adminWhoMayNotDeleteRoles() {
    const firm = await company()
    const admin = await hire(firm, 'ADMIN')
    await firm.as(undefined, em => grantPermission(em, admin.id, 'role:delete', 'DENY'))
    return { firm, admin }
  }

  test('of one action takes managing with it, and leaves the other actions', async () => {
    const { firm, admin } = await adminWhoMayNotDeleteRoles()
    const allowed = (key: string) => firm.as(undefined, em => can(em, admin, key))
    expect(await allowed('role:manage')).toBe(false)
    expect(await allowed('role:update')).toBe(true)
    const listed = (await firm.as(undefined, em => getUserPermissions(em, admin))).map(({ key }) => key)
    expect(listed.filter(key => key.startsWith('role:'))).toEqual([
      'role:approve',
      'role:create',
      'role:export',
      'role:read',
      'role:update',
    ])
  })

  test('can’t be got around by handing out what manages', async () => {
    const { firm, admin } = await adminWhoMayNotDeleteRoles()
    const friend = await hire(firm)
    const refused = (work: (em: ScopedEntityManager) => Promise<unknown>) =>
      expect(firm.as(admin, work)).rejects.toMatchObject({ code: 'access.grant_exceeds_own' })
    await refused(em => issueApiKey(em, { name: 'k', environment: 'LIVE', scopes: ['role:manage'] }))
    await refused(em => issueApiKey(em, { name: 'k', environment: 'LIVE', scopes: ['role:*'] }))
    await refused(em => grantPermission(em, friend.id, 'role:manage', 'ALLOW'))
    await refused(em => createRole(em, { key: 'X', name: 'X', permissions: ['role:manage', 'role:delete'] }))
    await refused(em => grantPermission(em, admin.id, 'role:delete', 'ALLOW'))
  })

  test('is not made to end by whom it binds, who may make it longer', async () => {
    const { firm, admin } = await adminWhoMayNotDeleteRoles()
    const deny = (actor: User | undefined, expiresAt?: Date) =>
      firm.as(actor, em => grantPermission(em, admin.id, 'role:delete', 'DENY', expiresAt && { expiresAt }))
    const [soon, later] = [new Date(Date.now() + 60_000), new Date(Date.now() + 3_600_000)]
    await expect(deny(admin, soon)).rejects.toMatchObject({ code: 'access.grant_exceeds_own' })
    expect((await deny(undefined, soon)).expiresAt).toEqual(soon)
    expect((await deny(admin, later)).expiresAt).toEqual(later)
    await expect(deny(admin, soon)).rejects.toMatchObject({ code: 'access.grant_exceeds_own' })
    expect((await deny(admin)).expiresAt).toBeNull()
  })
})

describe('a circle of roles', () => {
  test('can’t be closed within one transaction either', async () => {
    const { as } = await company()
    const attempt = as(undefined, async em => {
      const [one, two] = [await createRole(em, { key: 'ONE', name: '1' }), await createRole(em, { key: 'TWO', name: '2' })]
      await inherit(em, one, two)
      await updateRole(em, two, { parent: 'ONE' })
    })
    await expect(attempt).rejects.toMatchObject({ code: 'access.role_cycle' })
  })
})

test('a role that is just being given can’t be deleted', async () => {
  const firm = await company()
  const user = await hire(firm)
  await firm.as(undefined, em => createRole(em, { key: 'R', name: 'R', permissions: ['role:update'] }))
  const given = Promise.withResolvers<void>()
  const giving = firm.as(undefined, async em => {
    await grantRole(em, user.id, await roleOf(em, 'R'))
    await em.flush()
    given.resolve()
    await sleep(200)
  })
  await given.promise
  const deleting = firm.as(undefined, async em => deleteRole(em, await roleOf(em, 'R')))
  await expect(deleting).rejects.toMatchObject({ code: 'access.role_in_use' })
  await giving
  expect(await firm.as(undefined, em => can(em, user, 'role:update'))).toBe(true)
})

describe('coming back', () => {
  test('a suspension doesn’t end by invitation', async () => {
    const firm = await company()
    const user = await hire(firm)
    await firm.as(undefined, async em => suspendMember(em, await membershipOf(em, user)))
    const attempt = firm.as(undefined, async em => inviteMember(em, { email: user.email, role: await roleOf(em, 'VIEWER') }))
    await expect(attempt).rejects.toMatchObject({ code: 'access.already_member' })
  })

  test('nobody brings somebody back who left', async () => {
    const firm = await company()
    const user = await hire(firm)
    await firm.as(undefined, async em => removeMember(em, await membershipOf(em, user)))
    const attempt = firm.as(undefined, async em => reactivateMember(em, await membershipOf(em, user)))
    await expect(attempt).rejects.toMatchObject({ code: 'access.membership_left' })
  })

  test('whoever joins again has the role that was offered, nothing else from before, and what was denied', async () => {
    const firm = await company()
    const user = await hire(firm, 'VIEWER')
    await firm.as(undefined, async em => {
      await grantRole(em, user.id, await roleOf(em, 'ADMIN'))
      await grantPermission(em, user.id, 'organization:update', 'ALLOW')
      await grantPermission(em, user.id, 'membership:read', 'DENY')
    })
    await firm.as(undefined, async em => removeMember(em, await membershipOf(em, user)))
    const { token } = await firm.as(undefined, async em => inviteMember(em, { email: user.email, role: await roleOf(em, 'VIEWER') }))
    await acceptInvitation(daybook, { token, userId: user.id })
    const allowed = (key: string) => firm.as(undefined, em => can(em, user, key))
    expect(await Promise.all(['role:read', 'role:delete', 'organization:update', 'membership:read'].map(allowed))).toEqual([
      true,
      false,
      false,
      false,
    ])
  })
})

describe('an invitation', () => {
  const invite = ({ as }: Company, email: string) =>
    as(undefined, async em => inviteMember(em, { email, role: await roleOf(em, 'MEMBER') }))

  test('into an organization that is suspended is not accepted', async () => {
    const firm = await company()
    const { token } = await invite(firm, newAddress())
    const organization = (em: ScopedEntityManager) => em.findOneOrFail(Organization, firm.organization.id)
    await firm.as(undefined, async em => (await organization(em)).suspend())
    await expect(acceptInvitation(daybook, { token, password })).rejects.toMatchObject({ code: 'access.invitation_invalid' })
    await firm.as(undefined, async em => (await organization(em)).resume())
    await acceptInvitation(daybook, { token, password })
  })

  test('sent twice at once to one address leaves one that is good', async () => {
    const firm = await company()
    const email = newAddress()
    await Promise.all([invite(firm, email), invite(firm, email), invite(firm, email)])
    const statuses = await firm.as(undefined, em => em.find(Invitation, { email }))
    expect(statuses.map(({ status }) => status).toSorted()).toEqual(['CANCELED', 'CANCELED', 'PENDING'])
  })
})

describe('an API key', () => {
  test('opens its tenant although its use can’t be remembered', async () => {
    const firm = await company()
    const { secret } = await firm.as(undefined, em => issueApiKey(em, { name: 'ci', environment: 'LIVE', scopes: ['role:read'] }))
    const failing: EventSubscriber<ApiKey> = {
      getSubscribedEntities: () => [ApiKey],
      beforeUpdate: () => {
        throw new Error('the row is busy')
      },
    }
    expect(await listening(failing, () => authenticateApiKey(daybook, secret))).toMatchObject({ tenantId: firm.organization.id })
  })

  test('opens its tenant while somebody holds its row', async () => {
    const firm = await company()
    const issued = await firm.as(undefined, em => issueApiKey(em, { name: 'ci', environment: 'LIVE', scopes: ['role:read'] }))
    const held = Promise.withResolvers<void>()
    let isReleased = false
    const holding = firm.as(undefined, async em => {
      await em.findOneOrFail(ApiKey, issued.apiKey.id, { lockMode: LockMode.PESSIMISTIC_WRITE })
      held.resolve()
      await sleep(300)
      isReleased = true
    })
    await held.promise
    expect(await authenticateApiKey(daybook, issued.secret)).toMatchObject({ tenantId: firm.organization.id })
    // The embedded database takes one transaction after the other, so there the answer comes later.
    expect(isReleased).toBe(daybook.embedded)
    await holding
  })

  test('has its patterns spelled out, and each must be one of the issuer’s', async () => {
    const firm = await company()
    const issue = (actor: User | undefined, ...scopes: string[]) =>
      firm.as(actor, em => issueApiKey(em, { name: 'k', environment: 'LIVE', scopes }))
    expect((await issue(undefined, 'role:*', 'role:manage')).apiKey.scopes).toEqual(['role:manage'])
    const { scopes } = (await issue(undefined, '*:read')).apiKey
    expect(scopes).toContain('membership:read')
    expect(scopes.every(scope => scope.endsWith(':read'))).toBe(true)
    expect((await issue(undefined, '*:*')).apiKey.scopes).toContain('organization:manage')
    await expect(issue(await hire(firm, 'ADMIN'), '*:*')).rejects.toMatchObject({ code: 'access.grant_exceeds_own' })
    await expect(issue(undefined, 'unicorn:*')).rejects.toMatchObject({ code: 'access.permission_unknown' })
  })
})

describe('a subject', () => {
  test('may be an entity: its class is the resource, its properties are what conditions look at', async () => {
    const firm = await company()
    await firm.as(undefined, async em => {
      const role = await createRole(em, { key: 'OWN_GRANTS', name: 'Own grants' })
      const permission = await em.findOneOrFail(
        RolePermission,
        { permission: { key: 'user-permission:read' } },
        { populate: ['permission'] },
      )
      em.create(RolePermission, { role, permission: permission.permission, condition: { user: '$actor', effect: 'ALLOW' } })
    })
    const user = await hire(firm, 'OWN_GRANTS')
    const [allowed, denied, others] = await firm.as(undefined, em =>
      Promise.all([
        grantPermission(em, user.id, 'role:read', 'ALLOW'),
        grantPermission(em, user.id, 'role:create', 'DENY'),
        grantPermission(em, firm.owner.id, 'role:read', 'ALLOW'),
      ]),
    )
    const sees = (subject?: typeof allowed) => firm.as(undefined, em => can(em, user, 'user-permission:read', subject))
    expect([await sees(allowed), await sees(denied), await sees(others), await sees()]).toEqual([true, false, false, false])
  })

  test('for which somebody has a role is known by the entity, too', async () => {
    const firm = await company()
    const user = await hire(firm, 'CLIENT')
    const [one, two] = await firm.as(undefined, async em => {
      const roles = [await roleOf(em, 'VIEWER'), await roleOf(em, 'MEMBER')] as const
      await grantRole(em, user.id, await roleOf(em, 'ADMIN'), { subject: { type: 'role', id: roles[0].id } })
      return roles
    })
    const explained = (role: Role) => firm.as(undefined, em => explain(em, user, 'role:update', role))
    expect(await explained(one)).toMatchObject({ allowed: true, path: ['role for role', 'ADMIN', 'role:manage'] })
    expect(await explained(two)).toMatchObject({ allowed: false, considered: [['membership', 'CLIENT']], denials: [] })
  })
})
