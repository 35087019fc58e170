import type { EntityMetadata } from '@mikro-orm/core'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { newSecret } from '../../src/kernel/secret.ts'
import { declarationOf } from '../../src/orm/index.ts'
import { action, catalogue, resource } from '../../src/http/index.ts'
import { Project } from '../../src/domain/quality/index.ts'
import { openTestHost, type SignedUp, signUp, type TestHost } from './test-host.ts'

let on: TestHost
let ann: SignedUp

/** Fails as a program with a mistake in it does. */
const failing = action('update', (_work, row) => {
  throw Object.assign(new Error(`Cannot use ${JSON.stringify(row)}`), { cause: new SyntaxError(`Unexpected token in '${row.id}'`) })
})

beforeAll(async () => {
  const areas = (Object.keys(catalogue) as (keyof typeof catalogue)[]).filter(area => area !== 'quality')
  const others = catalogue.quality.filter(({ entity }) => entity !== Project)
  const resources = [...others, resource(Project, { give: ['slug'], write: ['name'], actions: { fail: failing } })]
  on = await openTestHost({ areas: ['identity', ...areas], resources })
  ann = await signUp(on, 'ann@acme.example', 'Acme')
})
afterAll(() => on[Symbol.asyncDispose]())
beforeEach(() => void (on.log.length = 0))

const logged = () => on.log.join('')

/** Each field that a declaration calls secret or personal, under the name of its property and of its column. */
function hiddenFields(): { readonly entity: string; readonly names: readonly string[] }[] {
  const entities: EntityMetadata[] = [...on.daybook.orm.getMetadata().getAll().values()]
  return entities.flatMap(meta => {
    const { secret = [], personal = [] } = declarationOf(meta.class)?.audit || {}
    return [...secret, ...personal].map(name => ({
      entity: meta.className,
      names: [name, ...meta.props.find(prop => prop.name === name)!.fieldNames],
    }))
  })
}

test('no field that is declared secret or personal is logged, of no entity, by neither name and at no depth', () => {
  const fields = hiddenFields()
  expect(fields.length).toBeGreaterThan(20)
  for (const { entity, names } of fields) {
    for (const name of names) {
      const value = newSecret()
      const row = { id: ann.user, [name]: value }
      on.host.log.info(row, 'a row')
      on.host.log.warn({ [entity]: row, rows: [row, { inner: { again: [row] } }] }, 'rows')
      on.host.log.error({ err: Object.assign(new Error('it failed'), row), details: row }, 'failed')
      on.host.log.error(new Error(`Value for ${entity}.${name} is wrong\nentity: ${JSON.stringify(row)}`))
      on.host.log.error({ err: new Error(`not storable: ${JSON.stringify(row)}`) })
      on.host.log.info('the row %j', row)
      on.host.log.child({}).info({ changes: { [name]: { from: value, to: [value] } } })
      expect(logged().includes(value), `${entity}.${name}`).toBe(false)
    }
  }
  expect(logged()).toContain(ann.user)
})

describe('a request tells nothing that it carries', () => {
  const carried = () => ({ value: newSecret(), key: `dbk_live_${newSecret().replaceAll('-', 'x')}` })

  test('in its headers', async () => {
    const { value, key } = carried()
    const headers = {
      authorization: `Bearer ${key}`,
      cookie: `daybook_session=${value}; other=${value}`,
      'x-api-key': value,
      referer: `https://a.example/?x=${value}`,
    }
    await on.host.inject({ url: '/me', headers })
    await on.host.inject({ url: '/me', headers: { cookie: `daybook_session=${value}` } })
    on.host.log.info({ headers }, 'as they came')
    on.host.log.info(`sent ${headers.authorization} and daybook_session=${value}`)
    const answer = { headers: { 'set-cookie': [`daybook_session=${value}; Path=/`] } }
    on.host.log.info(answer, 'as they go')
    for (const hidden of [value, key, key.slice(4)]) expect(logged()).not.toContain(hidden)
  })

  test('in its address, whether there is such a route or not', async () => {
    const { value, key } = carried()
    for (const url of [
      `/me?token=${value}`,
      `/organizations/${value}/tasks/${key}?words=${value}`,
      `/${value}`,
      `/verify-email/${value}?x=${key}`,
    ]) {
      await ann.caller.get(url)
      await ann.caller.post(url, { title: value })
    }
    for (const hidden of [value, key]) expect(logged()).not.toContain(hidden)
    expect(logged()).toContain('"path":"/organizations/…/tasks/…"')
  })

  test('in its body, also when it can’t be read or the work fails over it', async () => {
    const { value } = carried()
    await on.host.inject({
      method: 'POST',
      url: '/auth/sign-in',
      headers: { 'content-type': 'application/json' },
      payload: `{"password":"${value}`,
    })
    await ann.caller.post('/auth/sign-in', { email: `${value}@acme.example`, password: value, [value]: 1 })
    const made = await ann.caller.post('/organizations/current/projects', { name: value, slug: 'mine' })
    const failed = await ann.caller.post(`/organizations/current/projects/${made.json<{ id: string }>().id}/fail`)
    expect([made.statusCode, failed.statusCode]).toEqual([201, 500])
    expect(logged()).toContain('a request failed')
    expect(logged()).not.toContain(value)
    expect(failed.body).not.toContain(value)
  })
})

test('addresses of people are in no line, and what helps to find a failure is', () => {
  on.host.log.warn({ recipients: ['bob@b.example'], note: 'for bob@b.example' }, 'could not reach bob@b.example')
  on.host.log.error({ err: Object.assign(new TypeError('x is not a function'), { code: 'ERR_X' }), job: 'retention' }, 'a job failed')
  const circle: Record<string, unknown> = { id: ann.user }
  circle.self = circle
  on.host.log.info({ circle, bytes: Buffer.from('hunter2'), at: new Date(0), none: null }, 'odd things')
  expect(logged()).not.toContain('bob')
  expect(logged()).not.toContain('hunter2')
  for (const useful of ['x is not a function', 'ERR_X', 'TypeError', 'retention', '1970-01-01', 'redaction.http.test']) {
    expect(logged()).toContain(useful)
  }
})
