import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ActionHost, base } from './action-host.ts'
import { roleIdOf, type SignedUp } from './test-host.ts'

interface Told {
  readonly items: readonly { readonly type: string; readonly changes: readonly { readonly property: string; readonly after: unknown }[] }[]
}

/** Who is in an organization, and what they may do there, has routes of its own for what is; what it was is asked like everything else. */
let act: ActionHost
let ann: SignedUp
let zoe: SignedUp

beforeAll(async () => {
  act = await ActionHost.open()
  ;({ ann, zoe } = act)
})
afterAll(() => act[Symbol.asyncDispose]())

const first = async (path: string) => (await act.seen<{ items: { id: string }[] }>(path)).items[0]!.id

describe.each([
  ['members', () => first('members'), 'role'],
  ['roles', () => first('roles'), 'permissions'],
  [
    'invitations',
    async () => {
      const role = await roleIdOf(ann.caller, 'VIEWER')
      return (await act.made('invitations', { email: 'invited@example.com', role })).id
    },
    'email',
  ],
  [
    'api-keys',
    async () => {
      const key = { name: 'Robot', environment: 'TEST', scopes: ['task:read'] }
      return (await act.made<{ apiKey: { id: string } }>('api-keys', key)).apiKey.id
    },
    'scopes',
  ],
])('one of %s', (path, make, shown) => {
  test('is shown, with what it was, to its own organization alone', async () => {
    const id = await make()
    expect(await act.seen(`${path}/${id}`)).toMatchObject({ id })
    expect(await act.seen(`${path}/${id}`)).toHaveProperty(shown)
    const { items } = await act.seen<Told>(`${path}/${id}/history`)
    expect(items.at(-1)!.type).toMatch(/\.created$/)
    expect(JSON.stringify(items)).not.toMatch(/hash/i)
    for (const route of ['', '/history', '/why?property=id']) {
      expect((await zoe.caller.get(`${base}/${path}/${id}${route}`)).statusCode).toBe(404)
    }
  })
})

test('a role says what it was called, and between when and when', async () => {
  const { id } = await act.made('roles', { key: 'REVIEWER', name: 'Reviewer', permissions: ['task:read'] })
  const between = new Date(Date.now() + 1).toISOString()
  await new Promise(resolve => setTimeout(resolve, 5))
  await ann.caller.patch(`${base}/roles/${id}`, { name: 'Judge' })
  const { items } = await act.seen<Told>(`roles/${id}/history`)
  expect(items[0]!.changes.find(({ property }) => property === 'name')).toMatchObject({ before: 'Reviewer', after: 'Judge' })
  const later = new Date(Date.now() + 1_000).toISOString()
  expect(JSON.stringify(await act.seen(`roles/${id}/diff?from=${between}&to=${later}`))).toContain('Judge')
  expect(JSON.stringify(await act.seen(`roles/${id}/why?property=name`))).toContain('role.updated')
})
