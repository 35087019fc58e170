import { afterAll, beforeAll, expect, test } from 'vitest'
import { AuditEvent } from '../../src/audit/index.ts'
import { userActor } from '../../src/context/index.ts'
import {
  changePassword,
  issueApiKey,
  registerOrganization,
  Role,
  rotateApiKey,
  signIn,
  signOut,
  grantRole,
  User,
} from '../../src/entities.ts'
import type { Daybook } from '../../src/orm/index.ts'
import { replayProblems } from '../../src/readers/index.ts'
import { openTestDaybook } from '../../src/testing/index.ts'

let daybook: Daybook
beforeAll(async () => {
  daybook = await openTestDaybook()
})
afterAll(() => daybook.close())

test('what happens to a person’s access is in their own log, or in their organization’s, and no secret with it', async () => {
  const [email, password] = ['ann@acme.example', 'a long and private sentence']
  const { user, organization } = await registerOrganization(daybook, { email, password, organization: { name: 'Acme' } })
  const { token } = (await signIn(daybook, { email, password }))!
  await signOut(daybook, token)
  await changePassword(daybook, { userId: user.id, current: password, password: 'another long and private one' })
  for (let attempt = 0; attempt < 6; attempt++) await signIn(daybook, { email, password: 'a wrong guess' })
  const own = await daybook
    .scope({ kind: 'identity', actor: userActor(user) })
    .find(AuditEvent, { tenantId: user.id }, { orderBy: { seq: 'asc' } })
  const auth = own.filter(({ type }) => type.startsWith('auth.'))
  expect(auth.map(({ type }) => type)).toEqual([
    'auth.signed-in',
    'auth.signed-out',
    'auth.password-changed',
    ...Array.from({ length: 4 }, () => 'auth.sign-in-failed'),
    'auth.locked',
    'auth.sign-in-failed',
    'auth.sign-in-failed',
  ])
  expect(auth.at(-1)!.after).toEqual({ because: 'locked' })

  const scope = { tenant: organization, actor: userActor(user) }
  const secrets = await daybook.transact(scope, async em => {
    const issued = await issueApiKey(em, { name: 'ci', environment: 'LIVE', scopes: ['role:read'] })
    await em.flush()
    const rotated = await rotateApiKey(em, issued.apiKey)
    const granted = await grantRole(em, user.id, await em.findOneOrFail(Role, { key: 'VIEWER' }))
    await em.flush()
    em.remove(granted)
    return [issued.secret, rotated.secret]
  })
  const company = await daybook
    .scope(scope)
    .find(AuditEvent, { tenantId: organization.id, type: { $like: '%' } }, { orderBy: { seq: 'asc' } })
  const types = company.map(({ type }) => type)
  for (const type of ['organization.created', 'membership.created', 'api-key.created', 'api-key.updated']) expect(types).toContain(type)
  expect(company.find(({ type, after }) => type === 'api-key.created' && after!.rotated_from_id)).toBeDefined()
  const everything = JSON.stringify([own, company])
  for (const secret of [password, ...secrets, 'argon2']) expect(everything).not.toContain(secret)
  expect(JSON.stringify(company)).not.toContain('"key_hash":')
  const problems = await daybook.transact(scope, em => replayProblems(em))
  expect(problems).toEqual([])
  expect(await daybook.scope(scope).count(User)).toBe(1)
})
