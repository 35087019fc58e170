import { afterAll, beforeAll, expect, test } from 'vitest'
import { systemActor, userActor } from '../../src/context/index.ts'
import {
  acceptInvitation,
  assertServedHere,
  authenticateApiKey,
  confirmSubscription,
  inviteMember,
  issueApiKey,
  NewsletterSubscriber,
  Organization,
  registerOrganization,
  type Registered,
  rejectInvitation,
  Role,
  subscribeToNewsletter,
  unsubscribe,
  unsubscribeTokenOf,
} from '../../src/entities.ts'
import { isServedHere } from '../../src/domain/organizations/internal.ts'
import { runJob } from '../../src/jobs/index.ts'
import { newId } from '../../src/kernel/id.ts'
import { Daybook, type ScopedEntityManager } from '../../src/orm/index.ts'
import { openTestDatabase, type TestDatabase } from '../../src/testing/index.ts'

/** One database that holds what it never should: organizations of two regions. */
let database: TestDatabase
let anywhere: Daybook
let inEurope: Daybook
let european: Registered
let canadian: Registered

beforeAll(async () => {
  database = await openTestDatabase()
  anywhere = database.daybook
  const limits = { statementTimeoutMs: 30_000, lockTimeoutMs: 10_000, idleTimeoutMs: 60_000 }
  inEurope = new Daybook({ orm: anywhere.orm, embedded: anywhere.embedded, limits, region: 'EU' })
  european = await registerIn(anywhere, 'EU')
  canadian = await registerIn(anywhere, 'CA')
})
afterAll(() => anywhere.close())

const registerIn = (daybook: Daybook, dataRegion?: 'EU' | 'US' | 'CA') =>
  registerOrganization(daybook, {
    email: `${newId()}@example.com`,
    password: 'a long enough one',
    organization: { name: 'Somewhere', ...(dataRegion && { dataRegion }) },
  })
const workIn = <T>({ organization, user }: Registered, work: (em: ScopedEntityManager) => Promise<T>) =>
  anywhere.transact({ tenant: organization, actor: userActor(user) }, work)
const wrong = { code: 'tenancy.wrong_region', details: { region: 'CA', here: 'EU' } }

test('an organization is made where the process serves, and nowhere else', async () => {
  expect((await registerIn(inEurope)).organization.dataRegion).toBe('EU')
  expect((await registerIn(inEurope, 'EU')).organization.dataRegion).toBe('EU')
  await expect(registerIn(inEurope, 'CA')).rejects.toMatchObject(wrong)
})

test('where no region is named, every region is served', async () => {
  expect((await registerIn(anywhere, 'US')).organization.dataRegion).toBe('US')
  expect((await registerIn(anywhere)).organization.dataRegion).toBe('EU')
})

test('a region never changes, by the unit of work, by SQL, or by an operator', async () => {
  const refused = { code: 'tenancy.identity_immutable', details: { table: 'organization', columns: 'id, data_region' } }
  const { id } = european.organization
  await expect(workIn(european, async em => void ((await em.findOneOrFail(Organization, id)).dataRegion = 'US'))).rejects.toMatchObject(
    refused,
  )
  await expect(workIn(european, em => em.execute(`update organization set data_region = 'US'`))).rejects.toMatchObject(refused)
  const operator = { kind: 'operator', actor: systemActor('support'), reason: 'a test' } as const
  await expect(anywhere.transact(operator, em => em.nativeUpdate(Organization, { id }, { dataRegion: 'US' }))).rejects.toMatchObject(
    refused,
  )
  await workIn(european, async em => (await em.findOneOrFail(Organization, id)).rename('Renamed'))
  expect(await workIn(european, em => em.findOneOrFail(Organization, id))).toMatchObject({ dataRegion: 'EU', name: 'Renamed' })
})

test('library code asks for itself', () => {
  expect(() => assertServedHere(canadian.organization, inEurope.region)).toThrow(expect.objectContaining(wrong))
  expect(() => assertServedHere(european.organization, inEurope.region)).not.toThrow()
  expect(() => assertServedHere(canadian.organization, anywhere.region)).not.toThrow()
  expect([isServedHere(canadian.organization, 'EU'), isServedHere(canadian.organization, 'CA')]).toEqual([false, true])
})

test('invitations and keys of another region open nothing', async () => {
  const [token, secret] = await workIn(canadian, async em => {
    const role = await em.findOneOrFail(Role, { key: 'VIEWER' })
    const invited = await inviteMember(em, { email: `${newId()}@example.com`, role })
    const issued = await issueApiKey(em, { name: 'CI', environment: 'TEST', scopes: ['role:read'] })
    return [invited.token, issued.secret]
  })
  await expect(acceptInvitation(inEurope, { token, password: 'a long enough one' })).rejects.toMatchObject(wrong)
  await expect(rejectInvitation(inEurope, token)).rejects.toMatchObject(wrong)
  await expect(authenticateApiKey(inEurope, secret)).rejects.toMatchObject(wrong)
  expect(await authenticateApiKey(anywhere, secret)).toBeDefined()
  await rejectInvitation(anywhere, token)
})

test('newsletters of another region are neither confirmed nor left here', async () => {
  const subscribers = (em: ScopedEntityManager) => em.findOneOrFail(NewsletterSubscriber, { email: 'reader@example.com' })
  const token = (await workIn(canadian, em => subscribeToNewsletter(em, { email: 'reader@example.com', source: 'website' })))!
  const leave = await workIn(canadian, async em => unsubscribeTokenOf(em, await subscribers(em)))
  await expect(confirmSubscription(inEurope, token)).rejects.toMatchObject(wrong)
  await expect(unsubscribe(inEurope, leave)).rejects.toMatchObject(wrong)
  expect((await workIn(canadian, subscribers)).status).toBe('PENDING')
  const nobodys = `${token.slice(0, 30)}${'x'.repeat(36)}`
  await expect(confirmSubscription(inEurope, nobodys)).rejects.toMatchObject({ code: 'commerce.subscription_token' })
  expect((await confirmSubscription(anywhere, token)).status).toBe('ACTIVE')
  expect((await unsubscribe(anywhere, leave)).status).toBe('UNSUBSCRIBED')
})

test('jobs pass other regions over', async () => {
  await using own = await openTestDatabase({ region: 'EU' })
  const here = await registerIn(own.daybook)
  const elsewhere = newId()
  await own.daybook.transact({ tenant: elsewhere, actor: systemActor('test') }, async em => {
    em.create(Organization, { id: elsewhere, slug: 'elsewhere', name: 'Elsewhere', dataRegion: 'US' })
  })
  const seen = new Set<string>()
  const job = {
    name: 'look',
    everyMs: 1_000,
    async forTenant(em: ScopedEntityManager) {
      const scope = em.boundScope!
      if (scope.kind === 'tenant') seen.add(scope.tenantId)
      return 0
    },
  }
  expect(await runJob(own.daybook, job)).toMatchObject({ status: 'OK', failed: 0 })
  expect([...seen]).toEqual([here.organization.id])
})
