import type { EntityProperty } from '@mikro-orm/core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { systemActor } from '../../src/context/index.ts'
import { ApiKey } from '../../src/entities.ts'
import { catalogue } from '../../src/http/resources/index.ts'
import { describe as described } from '../../src/http/resources/resource.ts'
import { StoredRows } from '../../src/http/resources/stored.ts'
import { etagOf, viewOf } from '../../src/http/resources/view.ts'
import { Caller, openTestHost, type SignedUp, signUp, type TestHost } from './test-host.ts'

let on: TestHost
let ann: SignedUp

beforeAll(async () => {
  on = await openTestHost()
  ann = await signUp(on, 'ann@acme.example', 'Acme')
})
afterAll(() => on[Symbol.asyncDispose]())

const scope = () => ({ tenant: ann.organization, actor: systemActor('test') })

/** Something that a column of each type could hold, with whatever makes it easy to read wrongly. */
function literalFor({ columnTypes: [type = ''], items }: EntityProperty): string {
  if (items) return `'${String(items[0])}'`
  if (type === 'uuid') return `'01A1FF37-27B5-7164-8133-6A06D8453FB7'`
  if (type.startsWith('timestamp')) return `'2026-02-28 23:59:59.05+05:30'`
  if (type === 'bigint') return '9007199254740991'
  if (type.startsWith('numeric')) return '0.5'
  if (/^(int|smallint)/.test(type)) return '-7'
  if (type === 'boolean') return 'false'
  if (type === 'text[]') return `array['a', 'null', ' "b, c" ', '{d}', '']`
  if (type === 'real[]') return 'array[0.5, -1]'
  if (type.startsWith('json')) return `'{"at": "2026-01-01T00:00:00Z", "list": [1, null, {"deep": "\\u00e9"}], "text": "{}"}'`
  return `'it''s "é" \\ {1}'`
}

describe.each(
  Object.values(catalogue)
    .flat()
    .map(resource => [resource.entity.name, resource] as const),
)('%s', (_name, resource) => {
  test.each(['full', 'empty'])('is shown as it is stored in the words of its entity: %s', async kind => {
    const { orm } = on.daybook
    const known = described(resource, orm.getMetadata())
    const columns = known.fields.map(({ name, isNullable }) => {
      const property = known.meta.properties[name as never] as EntityProperty
      const value = kind === 'empty' && isNullable ? 'null' : literalFor(property)
      return `(${value})::${property.columnTypes[0]} as "${property.fieldNames[0]}"`
    })
    const [[row] = []] = await on.daybook.ask(scope(), [{ sql: `select ${columns.join(', ')}`, params: [] }])
    const view = new StoredRows(known, orm.em.getPlatform()).view(row!)
    const entity = on.daybook.scope(scope()).map(known.entity, { ...row, tenant_id: ann.organization })
    expect(view).toEqual(viewOf(entity, known.fields))
    expect(etagOf(view, known)).toBe(etagOf(entity, known))
    expect(Object.values(view).filter(value => value === null)).toHaveLength(
      kind === 'full' ? 0 : known.fields.filter(({ isNullable }) => isNullable).length,
    )
  })
})

describe('a program that was here a moment ago', () => {
  let key: { id: string; secret: string }
  let program: Caller
  let path: string
  const task = { title: 'Weigh it' }

  beforeAll(async () => {
    const id = (await ann.caller.post('/organizations/current/tasks', task)).json<{ id: string }>().id
    path = `/organizations/current/tasks/${id}`
  })
  const issue = async (scopes: string[]) => {
    const made = await ann.caller.post('/organizations/current/api-keys', { name: 'k', environment: 'LIVE', scopes })
    const { apiKey, secret } = made.json<{ apiKey: { id: string }; secret: string }>()
    key = { id: apiKey.id, secret }
    program = new Caller(on, { authorization: `Bearer ${secret}` })
  }
  const store = (change: (apiKey: ApiKey) => void) =>
    on.daybook.transact(scope(), async em => change(await em.findOneOrFail(ApiKey, key.id)))
  const statusOf = async () => (await program.get(path)).statusCode

  test('sees what a person sees, one and many, whole and in part', async () => {
    await issue(['task:read', 'task:manage'])
    for (const query of [path, `${path}?fields=title`, '/organizations/current/tasks?sort=-id&limit=1&fields=status']) {
      const [first, again, person] = [await program.get(query), await program.get(query), await ann.caller.get(query)]
      expect([first.statusCode, again.statusCode]).toEqual([200, 200])
      expect(again.json()).toEqual(first.json())
      expect({ ...again.json<object>(), next: null }).toEqual({ ...person.json<object>(), next: null })
    }
  })

  test('is refused as soon as its key is revoked', async () => {
    await issue(['task:read'])
    expect(await statusOf()).toBe(200)
    await store(apiKey => apiKey.revoke(new Date()))
    expect(await statusOf()).toBe(401)
  })

  test('is refused as soon as its key may do less, and shown more as soon as it may', async () => {
    await issue(['task:read'])
    expect(await statusOf()).toBe(200)
    await store(apiKey => void (apiKey.scopes = ['project:read']))
    expect(await statusOf()).toBe(403)
    await store(apiKey => void (apiKey.scopes = ['task:read']))
    expect(await statusOf()).toBe(200)
  })

  test('is told nothing of an organization that is no longer served', async () => {
    const bob = await signUp(on, 'bob@brill.example', 'Brill')
    const made = await bob.caller.post('/organizations/current/api-keys', { name: 'k', environment: 'LIVE', scopes: ['task:read'] })
    const theirs = new Caller(on, { authorization: `Bearer ${made.json<{ secret: string }>().secret}` })
    const list = async () => (await theirs.get('/organizations/current/tasks')).statusCode
    expect(await list()).toBe(200)
    const em = await on.daybook.operatorScope({ kind: 'operator', actor: systemActor('test'), reason: 'closing it' })
    await em.execute(`update organization set status = 'SUSPENDED' where id = ?`, [bob.organization])
    expect(await list()).toBe(401)
  })
})
