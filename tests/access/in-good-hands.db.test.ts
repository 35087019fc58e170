import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { apiKeyActor, systemActor, userActor } from '../../src/context/index.ts'
import {
  acceptInvitation,
  ApiKey,
  authenticateApiKey,
  changeRole,
  createRole,
  inviteMember,
  issueApiKey,
  reactivateMember,
  removeMember,
  revokeApiKey,
  rotateApiKey,
  suspendMember,
  updateRole,
  User,
} from '../../src/entities.ts'
import type { Daybook } from '../../src/orm/index.ts'
import { openTestDaybook } from '../../src/testing/index.ts'
import { type Company, foundCompany, hireInto, membershipOf, newAddress, password, roleOf } from './company.ts'

let daybook: Daybook
beforeAll(async () => {
  daybook = await openTestDaybook()
})
afterAll(() => daybook.close())

const exceeding = { code: 'access.grant_exceeds_own' }
const opens = async (secret: string) => (await authenticateApiKey(daybook, secret)) !== undefined
const issue = ({ as }: Company, issuer?: User, scopes = ['role:read']) =>
  as(issuer, em => issueApiKey(em, { name: 'k', environment: 'LIVE', scopes }))
const suspend = ({ as }: Company, person: User, by?: User) => as(by, async em => suspendMember(em, await membershipOf(em, person)))
const reactivate = ({ as }: Company, person: User, by?: User) => as(by, async em => reactivateMember(em, await membershipOf(em, person)))
const remove = ({ as }: Company, person: User, by?: User) => as(by, async em => removeMember(em, await membershipOf(em, person)))
const disable = (person: User) =>
  daybook.transact({ kind: 'identity', actor: userActor(person) }, async em => {
    Object.assign(await em.findOneOrFail(User, person.id), { status: 'DISABLED' })
  })

describe('an API key', () => {
  test('opens nothing while its issuer is suspended', async () => {
    const firm = await foundCompany(daybook)
    const admin = await hireInto(daybook, firm, 'ADMIN')
    const { secret } = await issue(firm, admin)
    expect(await opens(secret)).toBe(true)
    await suspend(firm, admin)
    expect(await opens(secret)).toBe(false)
    await reactivate(firm, admin)
    expect(await opens(secret)).toBe(true)
  })

  test('opens nothing when its issuer’s account was closed', async () => {
    const firm = await foundCompany(daybook)
    const admin = await hireInto(daybook, firm, 'ADMIN')
    const { secret } = await issue(firm, admin)
    await disable(admin)
    expect(await opens(secret)).toBe(false)
  })

  test('opens nothing any more when its issuer left, though they come back', async () => {
    const firm = await foundCompany(daybook)
    const admin = await hireInto(daybook, firm, 'ADMIN')
    const { secret } = await issue(firm, admin)
    await remove(firm, admin)
    expect(await opens(secret)).toBe(false)
    const { token } = await firm.as(undefined, async em => inviteMember(em, { email: admin.email, role: await roleOf(em, 'VIEWER') }))
    await acceptInvitation(daybook, { token, userId: admin.id })
    expect(await opens(secret)).toBe(false)
  })

  test('is taken over by whoever rotates it', async () => {
    const firm = await foundCompany(daybook)
    const admin = await hireInto(daybook, firm, 'ADMIN')
    const { apiKey } = await issue(firm, admin)
    await remove(firm, admin)
    const { secret } = await firm.as(undefined, em => rotateApiKey(em, apiKey))
    expect(await opens(secret)).toBe(true)
  })

  test('that nobody has issued is the organization’s own', async () => {
    const { organization } = await foundCompany(daybook)
    const { secret } = await daybook.transact({ tenant: organization, actor: systemActor('test') }, em =>
      issueApiKey(em, { name: 'k', environment: 'LIVE', scopes: ['role:read'] }),
    )
    expect(await opens(secret)).toBe(true)
  })

  test('neither issues nor rotates any, itself included', async () => {
    const firm = await foundCompany(daybook)
    const { apiKey } = await issue(firm, undefined, ['api-key:manage', 'role:read'])
    const asProgram = { tenant: firm.organization, actor: apiKeyActor(apiKey) }
    const refused = { code: 'access.denied', details: { permission: 'api-key:create' } }
    const heir = { name: 'heir', environment: 'LIVE', scopes: ['role:read'] } as const
    await expect(daybook.transact(asProgram, em => issueApiKey(em, heir))).rejects.toMatchObject(refused)
    await expect(daybook.transact(asProgram, em => rotateApiKey(em, apiKey))).rejects.toMatchObject(refused)
  })

  test('is revoked by whoever has it in hand, and by others only if they may do what it may', async () => {
    const firm = await foundCompany(daybook)
    const [admin, person] = [await hireInto(daybook, firm, 'ADMIN'), await hireInto(daybook, firm, 'OWNER')]
    const revoke = (id: string, by?: User) => firm.as(by, async em => revokeApiKey(em, await em.findOneOrFail(ApiKey, id)))
    const strong = await issue(firm, person, ['organization:manage'])
    await firm.as(undefined, async em => changeRole(em, await membershipOf(em, person), await roleOf(em, 'ADMIN')))
    await expect(revoke(strong.apiKey.id, admin)).rejects.toMatchObject(exceeding)
    await revoke(strong.apiKey.id, person)
    const weak = await issue(firm, undefined, ['role:read'])
    await revoke(weak.apiKey.id, admin)
    const own = await issue(firm, undefined, ['organization:manage'])
    await daybook.transact({ tenant: firm.organization, actor: apiKeyActor(own.apiKey) }, async em =>
      revokeApiKey(em, await em.findOneOrFail(ApiKey, own.apiKey.id)),
    )
    expect(await Promise.all([strong, weak, own].map(({ secret }) => opens(secret)))).toEqual([false, false, false])
  })

  test('counts among what its issuer has: nobody stops it, or brings it back, by way of the membership', async () => {
    const firm = await foundCompany(daybook)
    const [admin, person] = [await hireInto(daybook, firm, 'ADMIN'), await hireInto(daybook, firm, 'OWNER')]
    const { apiKey } = await issue(firm, person, ['organization:manage'])
    await firm.as(undefined, async em => changeRole(em, await membershipOf(em, person), await roleOf(em, 'MEMBER')))
    await expect(suspend(firm, person, admin)).rejects.toMatchObject(exceeding)
    await suspend(firm, person)
    await expect(reactivate(firm, person, admin)).rejects.toMatchObject(exceeding)
    await firm.as(undefined, async em => revokeApiKey(em, await em.findOneOrFail(ApiKey, apiKey.id)))
    await reactivate(firm, person, admin)
  })
})

describe('an invitation', () => {
  const invalid = { code: 'access.invitation_invalid' }
  const invite = ({ as }: Company, by: User, role = 'VIEWER') =>
    as(by, async em => inviteMember(em, { email: newAddress(), role: await roleOf(em, role) }))
  const accept = (token: string) => acceptInvitation(daybook, { token, password })

  test.each<[string, (firm: Company, admin: User) => Promise<unknown>]>([
    ['left', remove],
    ['was suspended', suspend],
    ['lost their account', (_firm, admin) => disable(admin)],
    [
      'may no longer invite',
      ({ as }, admin) => as(undefined, async em => changeRole(em, await membershipOf(em, admin), await roleOf(em, 'MEMBER'))),
    ],
  ])('doesn’t admit when whoever has sent it %s', async (_what, happens) => {
    const firm = await foundCompany(daybook)
    const admin = await hireInto(daybook, firm, 'ADMIN')
    const { token } = await invite(firm, admin)
    await happens(firm, admin)
    await expect(accept(token)).rejects.toMatchObject(invalid)
  })

  test('doesn’t admit to a role that has become more than its sender may give', async () => {
    const firm = await foundCompany(daybook)
    const admin = await hireInto(daybook, firm, 'ADMIN')
    await firm.as(undefined, em => createRole(em, { key: 'GUEST', name: 'Guest' }))
    const { token } = await invite(firm, admin, 'GUEST')
    await firm.as(undefined, async em => updateRole(em, await roleOf(em, 'GUEST'), { permissions: ['organization:manage'] }))
    await expect(accept(token)).rejects.toMatchObject(invalid)
  })

  test('that a key has sent is its issuer’s', async () => {
    const firm = await foundCompany(daybook)
    const admin = await hireInto(daybook, firm, 'ADMIN')
    const { apiKey } = await issue(firm, admin, ['*:read', 'invitation:create'])
    const asProgram = { tenant: firm.organization, actor: apiKeyActor(apiKey) }
    const send = () => daybook.transact(asProgram, async em => inviteMember(em, { email: newAddress(), role: await roleOf(em, 'CLIENT') }))
    const [one, other] = [await send(), await send()]
    await accept(one.token)
    await remove(firm, admin)
    await expect(accept(other.token)).rejects.toMatchObject(invalid)
  })

  test('isn’t sent by somebody who may not invite', async () => {
    const firm = await foundCompany(daybook)
    const viewer = await hireInto(daybook, firm, 'VIEWER')
    await expect(invite(firm, viewer, 'CLIENT')).rejects.toMatchObject({ code: 'access.denied' })
  })
})
