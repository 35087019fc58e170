import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { apiKeyActor, systemActor, userActor } from '../../src/context/index.ts'
import {
  acceptInvitation,
  ApiKey,
  apiKeyAllows,
  authenticateApiKey,
  can,
  changeRole,
  createRole,
  deleteRole,
  ensureBuiltinRoles,
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
  organizationsOf,
  PasswordCredential,
  registerOrganization,
  rejectInvitation,
  reactivateMember,
  removeMember,
  Role,
  rotateApiKey,
  suspendMember,
  updateRole,
  User,
} from '../../src/entities.ts'
import { newId } from '../../src/kernel/id.ts'
import { newSecret } from '../../src/kernel/secret.ts'
import type { Daybook, ScopedEntityManager } from '../../src/orm/index.ts'
import { openTestDaybook } from '../../src/testing/index.ts'
import { type Company, foundCompany, hireInto, membershipOf, password, roleOf } from './company.ts'

let daybook: Daybook
const hour = 3_600_000

beforeAll(async () => {
  daybook = await openTestDaybook()
})
afterAll(() => daybook.close())

const company = () => foundCompany(daybook)
const hire = (firm: Company, key?: string) => hireInto(daybook, firm, key)

describe('registering', () => {
  test('makes a person, an organization, its roles and an owner', async () => {
    const { owner, organization, as } = await company()
    expect(organization.slug).toMatch(/^compania-united/)
    expect(await as(undefined, em => explain(em, owner, 'organization:delete'))).toMatchObject({
      path: ['membership', 'OWNER', 'organization:manage'],
    })
    expect(await as(undefined, em => em.count(Role, { isSystem: true }))).toBe(10)
  })

  test('a name that is taken gets a slug beside it; a slug that was asked for does not', async () => {
    const register = (slug?: string) =>
      registerOrganization(daybook, {
        email: `${newId()}@example.com`,
        password,
        organization: { name: 'Same Name', ...(slug && { slug }) },
      })
    const [one, two] = [await register(), await register()]
    expect(one.organization.slug).toBe('same-name')
    expect(two.organization.slug).toMatch(/^same-name-[0-9a-f]{8}$/)
    await expect(register('same-name')).rejects.toMatchObject({ code: 'organization.slug_taken' })
    await expect(register('Not A Slug')).rejects.toMatchObject({ code: 'organization.slug_invalid' })
  })

  test('with an address that is taken leaves nothing behind', async () => {
    const { owner } = await company()
    const ids = { user: newId(), organization: newId() }
    const attempt = registerOrganization(daybook, { email: owner.email, password, organization: { name: 'Late' }, ids })
    await expect(attempt).rejects.toMatchObject({ code: 'access.email_taken' })
    const scope = { tenant: ids.organization, actor: userActor(ids.user) }
    expect(await daybook.scope(scope).count(Role)).toBe(0)
    expect(await daybook.scope(scope).count(Organization)).toBe(0)
    expect(await daybook.scope({ kind: 'identity', actor: userActor(ids.user) }).count(PasswordCredential)).toBe(0)
  })

  test('twice at once with one address, one wins', async () => {
    const email = `${newId()}@example.com`
    const both = await Promise.allSettled(
      [1, 2].map(() => registerOrganization(daybook, { email, password, organization: { name: 'Twins' } })),
    )
    expect(both.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected'])
  })
})

describe('permissions', () => {
  test('each built-in role can what it says', async () => {
    const firm = await company()
    const [member, viewer] = [await hire(firm), await hire(firm, 'VIEWER')]
    const allowed = (user: User, key: string) => firm.as(undefined, em => can(em, user, key))
    expect(await allowed(member, 'role:read')).toBe(true)
    expect(await allowed(member, 'role:update')).toBe(false)
    expect(await allowed(viewer, 'membership:read')).toBe(true)
    expect(await allowed(viewer, 'api-key:read')).toBe(false)
    expect(await allowed(firm.owner, 'organization:delete')).toBe(true)
  })

  test('another tenant’s person can nothing here, and this tenant’s can nothing there', async () => {
    const [here, there] = [await company(), await company()]
    expect(await here.as(undefined, em => explain(em, there.owner, 'role:read'))).toMatchObject({
      allowed: false,
      because: 'the person is not a member',
    })
  })

  test('what a person may do is listed with the way it is granted', async () => {
    const firm = await company()
    const viewer = await hire(firm, 'VIEWER')
    const listed = await firm.as(undefined, em => getUserPermissions(em, viewer))
    expect(listed.every(({ key }) => key.endsWith(':read'))).toBe(true)
    expect(listed.find(({ key }) => key === 'role:read')?.path).toEqual(['membership', 'VIEWER', 'role:read'])
  })

  test('further roles and direct grants may expire, and a denial takes away', async () => {
    const firm = await company()
    const user = await hire(firm, 'VIEWER')
    const now = Date.now()
    await firm.as(undefined, async em => {
      await grantPermission(em, user.id, 'role:create', 'ALLOW', { expiresAt: new Date(now - hour) })
      await grantPermission(em, user.id, 'role:update', 'ALLOW', { expiresAt: new Date(now + hour) })
      await grantPermission(em, user.id, 'membership:read', 'DENY')
      const admin = await roleOf(em, 'ADMIN')
      await grantRole(em, user.id, admin, { expiresAt: new Date(now - hour) })
      await grantRole(em, user.id, admin, { subject: { type: 'role', id: firm.organization.id } })
    })
    const allowed = (key: string, subject?: { type: string; id: string }) => firm.as(undefined, em => can(em, user, key, subject))
    expect(await allowed('role:create')).toBe(false)
    expect(await allowed('role:update')).toBe(true)
    expect(await allowed('membership:read')).toBe(false)
    expect(await allowed('role:delete')).toBe(false)
    expect(await allowed('role:delete', { type: 'role', id: firm.organization.id })).toBe(true)
  })

  test('ensuring the built-in roles again changes nothing', async () => {
    const firm = await company()
    const before = await firm.as(undefined, em => em.find(Role, {}, { orderBy: { id: 'asc' } }))
    await firm.as(undefined, ensureBuiltinRoles)
    const after = await firm.as(undefined, em => em.find(Role, {}, { orderBy: { id: 'asc' } }))
    expect(JSON.stringify(after)).toBe(JSON.stringify(before))
  })
})

describe('roles of one’s own', () => {
  test('inherit, and are refused a circle', async () => {
    const { as } = await company()
    await as(undefined, async em => {
      await createRole(em, { key: 'A', name: 'A', parent: 'VIEWER' })
      await createRole(em, { key: 'B', name: 'B', parent: 'A' })
    })
    const close = as(undefined, async em => inherit(em, await roleOf(em, 'A'), await roleOf(em, 'B')))
    await expect(close).rejects.toMatchObject({ code: 'access.role_cycle' })
    const itself = as(undefined, async em => inherit(em, await roleOf(em, 'A'), await roleOf(em, 'A')))
    await expect(itself).rejects.toMatchObject({ code: 'access.role_cycle' })
  })

  test('two halves of a circle at once: one is refused', async () => {
    const { as } = await company()
    await as(undefined, async em => {
      await createRole(em, { key: 'A', name: 'A' })
      await createRole(em, { key: 'B', name: 'B' })
    })
    const half = (role: string, parent: string) => as(undefined, async em => inherit(em, await roleOf(em, role), await roleOf(em, parent)))
    const outcomes = await Promise.allSettled([half('A', 'B'), half('B', 'A')])
    expect(outcomes.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected'])
  })

  test('are refused what is unknown, taken, built in or in use', async () => {
    const firm = await company()
    const refused = (work: (em: ScopedEntityManager) => Promise<unknown>, code: string) =>
      expect(firm.as(undefined, work)).rejects.toMatchObject({ code })
    await refused(em => createRole(em, { key: 'X', name: 'X', permissions: ['unicorn:ride'] }), 'access.permission_unknown')
    await refused(em => createRole(em, { key: 'OWNER', name: 'X' }), 'access.role_key_taken')
    await refused(async em => updateRole(em, await roleOf(em, 'VIEWER'), { name: 'X' }), 'access.builtin_role_immutable')
    await refused(async em => deleteRole(em, await roleOf(em, 'VIEWER')), 'access.builtin_role_immutable')
    await firm.as(undefined, em => createRole(em, { key: 'PARENT', name: 'P' }))
    await firm.as(undefined, em => createRole(em, { key: 'CHILD', name: 'C', parent: 'PARENT' }))
    await refused(async em => deleteRole(em, await roleOf(em, 'PARENT')), 'access.role_in_use')
    await firm.as(undefined, async em => deleteRole(em, await roleOf(em, 'CHILD')))
    await firm.as(undefined, async em => deleteRole(em, await roleOf(em, 'PARENT')))
  })

  test('change what they grant', async () => {
    const firm = await company()
    await firm.as(undefined, em => createRole(em, { key: 'R', name: 'R', permissions: ['role:read', 'role:create'] }))
    const user = await hire(firm, 'R')
    await firm.as(undefined, async em => updateRole(em, await roleOf(em, 'R'), { permissions: ['role:read', 'role:delete'] }))
    expect(await firm.as(undefined, em => can(em, user, 'role:create'))).toBe(false)
    expect(await firm.as(undefined, em => can(em, user, 'role:delete'))).toBe(true)
  })

  test('nobody hands out what they may not do themselves', async () => {
    const firm = await company()
    await firm.as(undefined, em =>
      createRole(em, {
        key: 'HR',
        name: 'People',
        parent: 'VIEWER',
        permissions: ['invitation:manage', 'role:manage', 'user-permission:manage'],
      }),
    )
    const hr = await hire(firm, 'HR')
    const refused = (work: (em: ScopedEntityManager) => Promise<unknown>) =>
      expect(firm.as(hr, work)).rejects.toMatchObject({ code: 'access.grant_exceeds_own' })
    await refused(async em => inviteMember(em, { email: `${newId()}@example.com`, role: await roleOf(em, 'ADMIN') }))
    await refused(async em => changeRole(em, await membershipOf(em, hr), await roleOf(em, 'OWNER')))
    await refused(em => createRole(em, { key: 'SNEAK', name: 'S', parent: 'OWNER' }))
    await refused(em => createRole(em, { key: 'SNEAK', name: 'S', permissions: ['api-key:manage'] }))
    await refused(em => grantPermission(em, hr.id, 'api-key:create', 'ALLOW'))
    await refused(em => issueApiKey(em, { name: 'k', environment: 'LIVE', scopes: ['api-key:create'] }))
    await firm.as(hr, async em => inviteMember(em, { email: `${newId()}@example.com`, role: await roleOf(em, 'VIEWER') }))
  })
})

describe('members', () => {
  test('an organization keeps its last owner', async () => {
    const firm = await company()
    const refused = (work: (em: ScopedEntityManager) => Promise<unknown>) =>
      expect(firm.as(undefined, work)).rejects.toMatchObject({ code: 'access.last_owner' })
    await refused(async em => removeMember(em, await membershipOf(em, firm.owner)))
    await refused(async em => suspendMember(em, await membershipOf(em, firm.owner)))
    await refused(async em => changeRole(em, await membershipOf(em, firm.owner), await roleOf(em, 'MEMBER')))
  })

  test('an administrator has no hold over an owner, though another owner would stay', async () => {
    const firm = await company()
    const [second, admin] = [await hire(firm, 'OWNER'), await hire(firm, 'ADMIN')]
    const refused = (work: (em: ScopedEntityManager) => Promise<unknown>) =>
      expect(firm.as(admin, work)).rejects.toMatchObject({ code: 'access.grant_exceeds_own' })
    await refused(async em => removeMember(em, await membershipOf(em, second)))
    await refused(async em => suspendMember(em, await membershipOf(em, second)))
    await refused(async em => changeRole(em, await membershipOf(em, second), await roleOf(em, 'MEMBER')))
    await firm.as(admin, async em => removeMember(em, await membershipOf(em, admin)))
  })

  test('two owners who leave at once: one stays', async () => {
    const firm = await company()
    const second = await hire(firm, 'OWNER')
    const leave = (user: User) => firm.as(user, async em => removeMember(em, await membershipOf(em, user)))
    const outcomes = await Promise.allSettled([leave(firm.owner), leave(second)])
    expect(outcomes.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected'])
  })

  test('are suspended, let in again and removed, and can then do nothing', async () => {
    const firm = await company()
    const user = await hire(firm)
    const change = (work: (em: ScopedEntityManager, membership: Membership) => Promise<void>) =>
      firm.as(undefined, async em => work(em, await membershipOf(em, user)))
    await change(suspendMember)
    expect(await organizationsOf(daybook, user.id)).toEqual([])
    expect(await firm.as(undefined, em => can(em, user, 'role:read'))).toBe(false)
    await change(reactivateMember)
    expect(await firm.as(undefined, em => can(em, user, 'role:read'))).toBe(true)
    await change(removeMember)
    expect(await firm.as(undefined, em => can(em, user, 'role:read'))).toBe(false)
    await expect(change(suspendMember)).rejects.toMatchObject({ code: 'state.transition_refused' })
  })

  test('nobody can be made a member but by themself, and a membership can’t be turned over', async () => {
    const [here, there] = [await company(), await company()]
    const adopt = here.as(undefined, async em => {
      em.create(Membership, { user: em.getReference(User, there.owner.id), role: await roleOf(em, 'VIEWER'), joinedAt: new Date() })
    })
    await expect(adopt).rejects.toMatchObject({ code: 'tenancy.row_refused' })
    const turnOver = here.as(undefined, em =>
      em.execute('update membership set user_id = ? where user_id = ?', [there.owner.id, here.owner.id]),
    )
    await expect(turnOver).rejects.toMatchObject({ code: 'tenancy.identity_immutable' })
    expect(await here.as(undefined, em => em.findOne(User, there.owner.id))).toBeNull()
  })
})

describe('invitations', () => {
  const invite = ({ as }: Company, email = `${newId()}@example.com`, now = new Date()) =>
    as(undefined, async em => inviteMember(em, { email, role: await roleOf(em, 'MEMBER'), now }))
  const invalid = { code: 'access.invitation_invalid' }

  test('bring in somebody new, whose address the mail has proved', async () => {
    const firm = await company()
    const user = await hire(firm)
    expect(user.emailVerified).toBeInstanceOf(Date)
    expect((await organizationsOf(daybook, user.id)).map(({ id }) => id)).toEqual([firm.organization.id])
  })

  test('bring in somebody who has an account, if the address is theirs', async () => {
    const [here, there] = [await company(), await company()]
    const { token } = await invite(here, there.owner.email)
    await expect(acceptInvitation(daybook, { token, password })).rejects.toMatchObject({ code: 'access.email_taken' })
    await expect(acceptInvitation(daybook, { token, userId: (await hire(here)).id })).rejects.toMatchObject(invalid)
    await acceptInvitation(daybook, { token, userId: there.owner.id })
    expect(await organizationsOf(daybook, there.owner.id)).toHaveLength(2)
  })

  test('are good once, also when two accept at once', async () => {
    const { token } = await invite(await company())
    const outcomes = await Promise.allSettled([1, 2].map(() => acceptInvitation(daybook, { token, password })))
    expect(outcomes.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected'])
    await expect(acceptInvitation(daybook, { token, password })).rejects.toMatchObject(invalid)
  })

  test('a newer one replaces the older, and a member needs none', async () => {
    const firm = await company()
    const email = `${newId()}@example.com`
    const [older, newer] = [await invite(firm, email), await invite(firm, email)]
    await expect(acceptInvitation(daybook, { token: older.token, password })).rejects.toMatchObject(invalid)
    await acceptInvitation(daybook, { token: newer.token, password })
    await expect(invite(firm, email)).rejects.toMatchObject({ code: 'access.already_member' })
  })

  test('an expired one is marked and refused', async () => {
    const firm = await company()
    const { token, invitation } = await invite(firm, undefined, new Date(Date.now() - 8 * 24 * hour))
    await expect(acceptInvitation(daybook, { token, password })).rejects.toMatchObject(invalid)
    expect(await firm.as(undefined, em => em.findOneOrFail(Invitation, invitation.id))).toMatchObject({ status: 'EXPIRED' })
  })

  test('a rejected one is refused', async () => {
    const firm = await company()
    const { token } = await invite(firm)
    await rejectInvitation(daybook, token)
    await expect(acceptInvitation(daybook, { token, password })).rejects.toMatchObject(invalid)
  })

  test.each(['', 'forged', newSecret(), `AAAAAAAAAAAAAAAAAAAAAA.${newSecret()}`])('the token %j is invalid, as any other', async token => {
    await expect(acceptInvitation(daybook, { token, password })).rejects.toMatchObject(invalid)
  })

  test('a token moved to another tenant is invalid', async () => {
    const [here, there] = [await company(), await company()]
    const [one, two] = [await invite(here), await invite(there)]
    const moved = `${two.token.split('.')[0]}.${one.token.split('.')[1]}`
    await expect(acceptInvitation(daybook, { token: moved, password })).rejects.toMatchObject(invalid)
  })
})

describe('API keys', () => {
  const issue = ({ as }: Company, expiresAt?: Date) =>
    as(undefined, em =>
      issueApiKey(em, { name: 'ci', environment: 'LIVE', scopes: ['role:read', 'membership:manage'], ...(expiresAt && { expiresAt }) }),
    )

  test('open their own tenant, with their scopes', async () => {
    const firm = await company()
    const { secret, apiKey } = await issue(firm)
    const found = await authenticateApiKey(daybook, secret)
    expect(found).toMatchObject({ tenantId: firm.organization.id, apiKey: { id: apiKey.id } })
    expect(apiKeyAllows(found!.apiKey, 'membership:delete')).toBe(true)
    expect(apiKeyAllows(found!.apiKey, 'role:update')).toBe(false)
  })

  test('are shown once: neither the key nor its digest is in its JSON', async () => {
    const firm = await company()
    const { secret, apiKey } = await issue(firm)
    const stored = await firm.as(undefined, em => em.findOneOrFail(ApiKey, apiKey.id))
    const json = JSON.stringify(stored)
    expect(json).not.toContain(secret)
    expect(json).not.toContain(stored.keyHash)
    expect(secret.startsWith(stored.prefix.slice(0, 9))).toBe(true)
  })

  test('stop when they are revoked or expired, or the organization is suspended', async () => {
    const firm = await company()
    const [one, two, three] = [await issue(firm), await issue(firm, new Date(Date.now() + hour)), await issue(firm)]
    await firm.as(undefined, async em => (await em.findOneOrFail(ApiKey, one.apiKey.id)).revoke(new Date()))
    expect(await authenticateApiKey(daybook, one.secret)).toBeUndefined()
    expect(await authenticateApiKey(daybook, two.secret, new Date(Date.now() + 2 * hour))).toBeUndefined()
    await firm.as(undefined, async em => (await em.findOneOrFail(Organization, firm.organization.id)).suspend())
    expect(await authenticateApiKey(daybook, three.secret)).toBeUndefined()
  })

  test('rotate with an overlap', async () => {
    const firm = await company()
    const old = await issue(firm)
    const fresh = await firm.as(undefined, async em => rotateApiKey(em, await em.findOneOrFail(ApiKey, old.apiKey.id)))
    expect(await authenticateApiKey(daybook, old.secret)).toBeDefined()
    expect(await authenticateApiKey(daybook, fresh.secret)).toMatchObject({ apiKey: { rotatedFrom: { id: old.apiKey.id } } })
    const afterwards = new Date(Date.now() + 25 * hour)
    expect(await authenticateApiKey(daybook, old.secret, afterwards)).toBeUndefined()
    expect(await authenticateApiKey(daybook, fresh.secret, afterwards)).toBeDefined()
  })

  test('their use is remembered, at most once a minute', async () => {
    const firm = await company()
    const { secret } = await issue(firm)
    const at = new Date()
    const usedAt = async (now: Date) => (await authenticateApiKey(daybook, secret, now))?.apiKey.lastUsedAt
    expect(await usedAt(at)).toEqual(at)
    expect(await usedAt(new Date(at.getTime() + 30_000))).toEqual(at)
    expect(await usedAt(new Date(at.getTime() + 90_000))).toEqual(new Date(at.getTime() + 90_000))
  })

  test('a key can’t issue what it may not do itself', async () => {
    const firm = await company()
    const { apiKey } = await issue(firm)
    const scope = { tenant: firm.organization, actor: apiKeyActor(apiKey) }
    const attempt = daybook.transact(scope, em => issueApiKey(em, { name: 'more', environment: 'LIVE', scopes: ['role:update'] }))
    await expect(attempt).rejects.toMatchObject({ code: 'access.grant_exceeds_own' })
  })

  test('unknown scopes are refused', async () => {
    const { organization } = await company()
    const attempt = daybook.transact({ tenant: organization, actor: systemActor('test') }, em =>
      issueApiKey(em, { name: 'k', environment: 'TEST', scopes: ['unicorn:ride'] }),
    )
    await expect(attempt).rejects.toMatchObject({ code: 'access.permission_unknown' })
  })
})
