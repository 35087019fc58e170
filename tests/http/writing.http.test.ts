import type { TObject } from 'typebox'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { describe as described } from '../../src/http/resources/resource.ts'
import { ActionHost, base } from './action-host.ts'
import { type Caller, wholeResources } from './test-host.ts'

interface Row {
  readonly id: string
}

interface Page {
  readonly items: { url: string }[]
  readonly next: string | null
}

let here: ActionHost
beforeAll(async () => {
  here = await ActionHost.open()
})
afterAll(() => here[Symbol.asyncDispose]())

const change = (url: string, payload: object, caller = here.ann.caller) =>
  caller.call('PATCH', `${base}/${url}`, { payload, headers: { 'if-match': '*' } })

describe('a list that is sorted by something long', () => {
  test('goes on behind its own cursor', async () => {
    const urls = Array.from({ length: 3 }, (_, index) => `https://hooks.example.com/${index}${'x'.repeat(1_970)}`)
    for (const url of urls) await here.made('webhook-endpoints', { url, events: ['task.*'] })
    const seen: string[] = []
    for (let after: string | null = ''; after !== null;) {
      const page: Page = await here.seen<Page>(`webhook-endpoints?sort=url&limit=1${after && `&after=${after}`}`)
      seen.push(...page.items.map(({ url }) => url))
      after = page.next
    }
    expect(seen).toEqual(urls)
  })

  test('has no entry that its index can’t hold', async () => {
    const name = '界'.repeat(501)
    const refused = await here.ann.caller.post(`${base}/email-sequences`, { name, locale: 'en' })
    expect(refused.json()).toMatchObject({ status: 400, errors: [{ pointer: '#/name' }] })
  })
})

describe('a field', () => {
  test('holds when it is changed what it may hold when it is made', () => {
    let both = 0
    for (const resource of wholeResources) {
      const { name, creation, change: changes, fields } = described(resource, here.on.daybook.orm.getMetadata())
      const [given, changed] = [propertiesOf(creation), propertiesOf(changes)]
      for (const field of fields.filter(each => given[each.name] && changed[each.name])) {
        const without = (schema: unknown) => JSON.stringify(schema).replace(/^\{"anyOf":\[(.*),\{"type":"null"\}\]\}$/, '$1')
        expect([name, field.name, without(changed[field.name])]).toEqual([name, field.name, without(given[field.name])])
        both++
      }
    }
    expect(both).toBeGreaterThan(50)
  })

  test('that can’t be empty when it is made can’t be emptied', async () => {
    const stages = [
      { key: 'a', name: 'A' },
      { key: 'b', name: 'B', outcome: 'WON' },
    ]
    const pipeline = await here.made<Row>('pipelines', { key: 'k', name: 'n', type: 'SALES', stages })
    for (const name of ['', ' ', 'x'.repeat(201)]) expect((await change(`pipelines/${pipeline.id}`, { name })).statusCode).toBe(400)
    const prospect = await here.made<Row>('prospects', { email: 'a@b.example', companySize: 5 })
    expect((await change(`prospects/${prospect.id}`, { companySize: -1 })).statusCode).toBe(400)
    expect((await change(`prospects/${prospect.id}`, { companySize: null, company: null })).json()).toMatchObject({ companySize: null })
    for (const title of ['', '\t']) {
      const refused = await here.ann.caller.post(`${base}/tasks`, { title })
      expect(refused.json()).toMatchObject({
        status: 400,
        errors: expect.arrayContaining([expect.objectContaining({ pointer: '#/title' })]),
      })
    }
  })

  test('is looked for by values that nobody could write any more', async () => {
    const found = await here.seen<{ items: Row[] }>('prospects?companyDomain=')
    expect(found.items).toEqual([])
  })
})

const propertiesOf = (schema: unknown) => (schema as Partial<TObject> | undefined)?.properties ?? {}

describe('whoever writes and doesn’t read', () => {
  const member = async (key: string, ...permissions: string[]) => {
    await here.made('roles', { key, name: key, permissions })
    return (await here.member(`${key.toLowerCase()}@acme.example`, key)).caller
  }

  test('is told which one it is, and nothing else of it', async () => {
    const writer = await member('WRITER', 'task:create', 'task:update', 'document:create')
    const task = await here.made<Row>('tasks', { title: 'Secret', description: 'Hidden' })
    const told = await change(`tasks/${task.id}`, { priority: 'LOW' }, writer)
    expect([told.statusCode, told.headers.etag, told.json()]).toEqual([200, '"2"', { id: task.id }])
    expect((await writer.post(`${base}/tasks/${task.id}/start`)).json()).toEqual({ id: task.id })
    const made = await writer.post(`${base}/tasks`, { title: 'Mine' })
    expect([made.statusCode, made.json()]).toEqual([201, { id: expect.any(String) as string }])
    const upload = (caller: Caller) =>
      caller.call('POST', `${base}/documents?title=Payroll`, {
        payload: 'who earns what',
        headers: { 'content-type': 'text/plain', 'sec-fetch-site': 'same-origin' },
      })
    const { id } = (await upload(here.ann.caller)).json<Row>()
    expect((await upload(writer)).json()).toEqual({ id })
  })

  test('brings nothing back that was never gone', async () => {
    const remover = await member('REMOVER', 'prospect:delete')
    const { id } = await here.made<Row>('prospects', { email: 'secret@b.example' })
    const refused = await remover.post(`${base}/prospects/${id}/restore`)
    expect(refused.json()).toMatchObject({ status: 409, code: 'history.not_restorable' })
    await remover.delete(`${base}/prospects/${id}`)
    expect((await remover.post(`${base}/prospects/${id}/restore`)).json()).toEqual({ id })
  })
})
