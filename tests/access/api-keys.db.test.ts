import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { apiKeyActor, systemActor } from '../../src/context/index.ts'
import { ApiKey, authenticateApiKey, issueApiKey, Organization, rotateApiKey } from '../../src/entities.ts'
import { apiKeyAllows } from '../../src/domain/access/api-key-scopes.ts'
import type { Daybook } from '../../src/orm/index.ts'
import { openTestDaybook } from '../../src/testing/index.ts'
import { type Company, foundCompany } from './company.ts'

let daybook: Daybook
const hour = 3_600_000

beforeAll(async () => {
  daybook = await openTestDaybook()
})
afterAll(() => daybook.close())

const company = () => foundCompany(daybook)

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
    expect(await authenticateApiKey(daybook, old.secret)).toMatchObject({ apiKey: { id: old.apiKey.id } })
    expect(await authenticateApiKey(daybook, fresh.secret)).toMatchObject({ apiKey: { rotatedFrom: { id: old.apiKey.id } } })
    const afterwards = new Date(Date.now() + 25 * hour)
    expect(await authenticateApiKey(daybook, old.secret, afterwards)).toBeUndefined()
    expect(await authenticateApiKey(daybook, fresh.secret, afterwards)).toMatchObject({ apiKey: { id: fresh.apiKey.id } })
  })

  test('rotate once: another successor would end with the old one', async () => {
    const firm = await company()
    const { apiKey } = await issue(firm)
    const rotate = () => firm.as(undefined, async em => rotateApiKey(em, await em.findOneOrFail(ApiKey, apiKey.id)))
    const outcomes = await Promise.allSettled([rotate(), rotate()])
    const [refused, ...others] = outcomes.filter(({ status }) => status === 'rejected')
    expect([others.length, refused]).toMatchObject([0, { reason: { code: 'access.api_key_state', details: { state: 'rotated' } } }])
    await expect(rotate()).rejects.toMatchObject({ code: 'access.api_key_state' })
    const [successor] = await firm.as(undefined, em => em.find(ApiKey, { rotatedFrom: apiKey.id }))
    expect(successor!.expiresAt).toBeNull()
    await firm.as(undefined, em => rotateApiKey(em, successor!))
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
