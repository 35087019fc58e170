import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { userActor } from '../../src/context/index.ts'
import {
  acceptInvitation,
  can,
  changeRole,
  explain,
  grantPermission,
  grantRole,
  Invitation,
  inviteMember,
  Membership,
  Organization,
  organizationsOf,
  PasswordCredential,
  registerOrganization,
  rejectInvitation,
  reactivateMember,
  removeMember,
  Role,
  suspendMember,
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

  test('what a member has besides their membership counts as well: nobody takes away, or gives back, what they couldn’t have given', async () => {
    const firm = await company()
    const [deputy, clerk, admin] = [await hire(firm), await hire(firm), await hire(firm, 'ADMIN')]
    await firm.as(undefined, async em => {
      await grantRole(em, deputy.id, await roleOf(em, 'OWNER'))
      await grantPermission(em, clerk.id, 'organization:manage', 'ALLOW')
    })
    const refused = (work: (em: ScopedEntityManager) => Promise<unknown>) =>
      expect(firm.as(admin, work)).rejects.toMatchObject({ code: 'access.grant_exceeds_own' })
    for (const person of [deputy, clerk]) {
      await refused(async em => suspendMember(em, await membershipOf(em, person)))
      await refused(async em => removeMember(em, await membershipOf(em, person)))
      await refused(async em => changeRole(em, await membershipOf(em, person), await roleOf(em, 'VIEWER')))
      await refused(em => grantPermission(em, person.id, 'organization:manage', 'DENY'))
      await firm.as(undefined, async em => suspendMember(em, await membershipOf(em, person)))
      await refused(async em => reactivateMember(em, await membershipOf(em, person)))
    }
  })

  test('what was granted and has expired doesn’t count', async () => {
    const firm = await company()
    const [deputy, admin] = [await hire(firm), await hire(firm, 'ADMIN')]
    await firm.as(undefined, async em => grantRole(em, deputy.id, await roleOf(em, 'OWNER'), { expiresAt: new Date(Date.now() - hour) }))
    await firm.as(admin, async em => suspendMember(em, await membershipOf(em, deputy)))
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
