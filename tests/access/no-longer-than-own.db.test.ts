import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { apiKeyActor } from '../../src/context/index.ts'
import {
  changeRole,
  createRole,
  grantPermission,
  grantRole,
  inviteMember,
  issueApiKey,
  reactivateMember,
  revokePermission,
  rotateApiKey,
  suspendMember,
  updateRole,
  type User,
  UserPermission,
} from '../../src/entities.ts'
import type { Daybook, ScopedEntityManager } from '../../src/orm/index.ts'
import { openTestDaybook } from '../../src/testing/index.ts'
import { type Company, foundCompany, hireInto, membershipOf, roleOf } from './company.ts'

const [soon, evening, later] = [60_000, 3_600_000, 7_200_000].map(ms => new Date(Date.now() + ms)) as [Date, Date, Date]
const exceeding = { code: 'access.grant_exceeds_own' }

let daybook: Daybook
beforeAll(async () => {
  daybook = await openTestDaybook()
})
afterAll(() => daybook.close())

/** Somebody who may manage roles until the evening, by a grant or by a role, and grant for good. */
async function deputy(how: 'granted' | 'by a role'): Promise<{ readonly firm: Company; readonly person: User; readonly friend: User }> {
  const firm = await foundCompany(daybook)
  const [person, friend] = [await hireInto(daybook, firm), await hireInto(daybook, firm)]
  await firm.as(undefined, async em => {
    if (how === 'granted') await grantPermission(em, person.id, 'role:manage', 'ALLOW', { expiresAt: evening })
    else {
      const role = await createRole(em, { key: 'DEPUTY', name: 'Deputy', permissions: ['role:manage'] })
      await grantRole(em, person.id, role, { expiresAt: evening })
    }
  })
  return { firm, person, friend }
}

test.each(['granted', 'by a role'] as const)('what somebody has for a while, %s, they give for no longer', async how => {
  const { firm, person, friend } = await deputy(how)
  const grant = (expiresAt?: Date) =>
    firm.as(person, em => grantPermission(em, friend.id, 'role:delete', 'ALLOW', expiresAt && { expiresAt }))
  await expect(grant()).rejects.toMatchObject(exceeding)
  await expect(grant(later)).rejects.toMatchObject(exceeding)
  expect((await grant(evening)).expiresAt).toEqual(evening)
  expect((await grant(soon)).expiresAt).toEqual(soon)
})

test('nor to themselves', async () => {
  const { firm, person } = await deputy('granted')
  const attempt = firm.as(person, em => grantPermission(em, person.id, 'role:manage', 'ALLOW'))
  await expect(attempt).rejects.toMatchObject(exceeding)
})

test('nor within a role, an invitation, a membership or a key', async () => {
  const { firm, person, friend } = await deputy('by a role')
  const custom = await firm.as(undefined, em => createRole(em, { key: 'CUSTOM', name: 'Custom' }))
  const refused = (work: (em: ScopedEntityManager) => Promise<unknown>) => expect(firm.as(person, work)).rejects.toMatchObject(exceeding)
  await refused(em => createRole(em, { key: 'OTHER', name: 'Other', permissions: ['role:read', 'role:manage'] }))
  await refused(async em => updateRole(em, await roleOf(em, custom.key), { permissions: ['role:manage'] }))
  await refused(async em => updateRole(em, await roleOf(em, custom.key), { parent: 'DEPUTY' }))
  await refused(async em => grantRole(em, friend.id, await roleOf(em, 'DEPUTY')))
  await refused(async em => grantRole(em, friend.id, await roleOf(em, 'DEPUTY'), { expiresAt: later }))
  await refused(async em => inviteMember(em, { email: 'somebody@example.com', role: await roleOf(em, 'DEPUTY') }))
  await refused(async em => changeRole(em, await membershipOf(em, friend), await roleOf(em, 'DEPUTY')))
  await refused(em => issueApiKey(em, { name: 'k', environment: 'LIVE', scopes: ['role:manage'] }))
  await firm.as(person, async em => grantRole(em, friend.id, await roleOf(em, 'DEPUTY'), { expiresAt: evening }))
  const { apiKey } = await firm.as(person, em =>
    issueApiKey(em, { name: 'k', environment: 'LIVE', scopes: ['role:manage'], expiresAt: evening }),
  )
  await firm.as(person, em => rotateApiKey(em, apiKey))
})

test('whoever has it for a while takes it away, and gives back what lasts no longer', async () => {
  const { firm, person, friend } = await deputy('granted')
  const held = (key: string, expiresAt?: Date) =>
    firm.as(undefined, em => grantPermission(em, friend.id, key, 'ALLOW', expiresAt && { expiresAt }))
  await held('role:delete', soon)
  await firm.as(undefined, async em => suspendMember(em, await membershipOf(em, friend)))
  const reactivate = () => firm.as(person, async em => reactivateMember(em, await membershipOf(em, friend)))
  await reactivate()
  const granted = await held('role:update')
  await firm.as(undefined, async em => suspendMember(em, await membershipOf(em, friend)))
  await expect(reactivate()).rejects.toMatchObject(exceeding)
  await firm.as(person, em => revokePermission(em, granted))
  await reactivate()
})

test('a denial is lifted by those alone who may for as long as it would last', async () => {
  const { firm, person, friend } = await deputy('granted')
  const deny = (expiresAt?: Date) =>
    firm.as(undefined, em => grantPermission(em, friend.id, 'role:delete', 'DENY', expiresAt && { expiresAt }))
  const shorten = () => firm.as(person, em => grantPermission(em, friend.id, 'role:delete', 'DENY', { expiresAt: soon }))
  const allow = () => firm.as(person, em => grantPermission(em, friend.id, 'role:delete', 'ALLOW', { expiresAt: soon }))
  const denial = await deny()
  await expect(shorten()).rejects.toMatchObject(exceeding)
  await expect(allow()).rejects.toMatchObject(exceeding)
  await expect(firm.as(person, em => revokePermission(em, denial))).rejects.toMatchObject(exceeding)
  await deny(evening)
  await shorten()
  await allow()
})

test.each([
  ['allows', (em: ScopedEntityManager, { id }: User) => grantPermission(em, id, 'role:delete', 'ALLOW', { expiresAt: soon })],
  ['shortens', (em: ScopedEntityManager, { id }: User) => grantPermission(em, id, 'role:delete', 'DENY', { expiresAt: soon })],
  [
    'lifts',
    async (em: ScopedEntityManager, { id }: User) =>
      revokePermission(em, await em.findOneOrFail(UserPermission, { user: id, effect: 'DENY' })),
  ],
])('a denial that is just being made longer is not lost to somebody who %s it', async (_how, lift) => {
  const { firm, person, friend } = await deputy('granted')
  const deny = (expiresAt?: Date) =>
    firm.as(undefined, em => grantPermission(em, friend.id, 'role:delete', 'DENY', expiresAt && { expiresAt }))
  await deny(evening)
  const { lengthening } = await firm.as(person, async em => {
    await lift(em, friend)
    const begun = deny()
    await sleep(300)
    return { lengthening: begun }
  })
  await lengthening
  const denials = await firm.as(undefined, em => em.find(UserPermission, { user: friend.id }))
  expect(denials).toMatchObject([{ effect: 'DENY', expiresAt: null }])
})

test('a program whose key ends gives nothing that outlasts it', async () => {
  const firm = await foundCompany(daybook)
  const friend = await hireInto(daybook, firm)
  const { apiKey } = await firm.as(undefined, em =>
    issueApiKey(em, { name: 'k', environment: 'LIVE', scopes: ['role:manage'], expiresAt: evening }),
  )
  const asProgram = (work: (em: ScopedEntityManager) => Promise<unknown>) =>
    daybook.transact({ tenant: firm.organization, actor: apiKeyActor(apiKey) }, work)
  const grant = (expiresAt?: Date) => asProgram(em => grantPermission(em, friend.id, 'role:delete', 'ALLOW', expiresAt && { expiresAt }))
  await expect(grant()).rejects.toMatchObject(exceeding)
  await expect(grant(later)).rejects.toMatchObject(exceeding)
  await grant(evening)
  await grant(soon)
})
