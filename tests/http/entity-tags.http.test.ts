import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ActionHost, base } from './action-host.ts'
import { Caller, rowFor } from './test-host.ts'
import { Document } from '../../src/entities.ts'

interface Row {
  readonly id: string
  readonly status: string
}

let here: ActionHost
beforeAll(async () => {
  here = await ActionHost.open()
})
afterAll(() => here[Symbol.asyncDispose]())

const get = (url: string, ifNoneMatch = '', caller = here.ann.caller) =>
  caller.call('GET', `${base}/${url}`, { headers: ifNoneMatch ? { 'if-none-match': ifNoneMatch } : {} })
const send = (method: string, url: string, ifMatch: string, payload?: object) =>
  here.ann.caller.call(method, `${base}/${url}`, { headers: { 'if-match': ifMatch }, ...(payload && { payload }) })
const tagOf = (answer: { readonly headers: Readonly<Record<string, unknown>> }) => String(answer.headers.etag)
const program = async (...scopes: string[]) => {
  const { secret } = await here.made<{ secret: string }>('api-keys', { name: 'k', environment: 'LIVE', scopes })
  return new Caller(here.on, { authorization: `Bearer ${secret}` })
}

describe('whoever has seen it', () => {
  test('is told so by any tag of a list, a weak one, and a star', async () => {
    const { id } = await here.made<Row>('tasks', { title: 'Seen' })
    for (const seen of ['"1"', 'W/"1"', '"7", "1"', '"7" , W/"1"', '*']) {
      const answer = await get(`tasks/${id}`, seen)
      expect([seen, answer.statusCode, answer.body]).toEqual([seen, 304, ''])
    }
    for (const other of ['"7"', '1', 'W/"7", "11"']) expect([other, (await get(`tasks/${id}`, other)).statusCode]).toEqual([other, 200])
  })

  test('is shown it anew when what stands beside it has changed, and the row hasn’t', async () => {
    const profile = await here.made<Row>('ideal-customer-profiles', { name: 'Before', industry: 'pumps', weights: { industry: 1 } })
    const prospect = await here.made<Row>('prospects', { email: 'p@p.example' })
    const at = `prospects/${prospect.id}?populate=icp`
    await send('PATCH', `prospects/${prospect.id}`, '*', { icp: profile.id })
    const first = await get(at)
    expect((await get(at, tagOf(first))).statusCode).toBe(304)
    await here.done(`ideal-customer-profiles/${profile.id}/revise`, { name: 'After' })
    const again = await get(at, tagOf(first))
    expect([again.statusCode, again.json<{ icp: object }>().icp]).toEqual([200, expect.objectContaining({ name: 'After' })])
    expect((await send('PATCH', `prospects/${prospect.id}`, tagOf(again), { company: 'Acme' })).statusCode).toBe(200)
    expect((await send('PATCH', `prospects/${prospect.id}`, tagOf(again), { company: 'Other' })).statusCode).toBe(412)
  })

  test('is shown it anew when they see more of it than before', async () => {
    const id = await rowFor(here.on, here.ann, Document)
    const tag = tagOf(await get(`documents/${id}`, '', await program('document:read')))
    const whole = await get(`documents/${id}`, tag)
    expect([whole.statusCode, Object.keys(whole.json<object>())]).toEqual([200, expect.arrayContaining(['storageKey'])])
  })

  test('has the file, by any tag of a list', async () => {
    const made = await here.ann.caller.call('POST', `${base}/documents?title=a`, {
      payload: 'words',
      headers: { 'content-type': 'text/plain', 'sec-fetch-site': 'same-origin' },
    })
    const at = `documents/${made.json<Row>().id}/file`
    const tag = tagOf(await get(at))
    for (const seen of [`"other", ${tag}`, `W/${tag}`, '*']) expect([seen, (await get(at, seen)).statusCode]).toEqual([seen, 304])
  })
})

describe('whoever says which state they have seen', () => {
  test('does nothing to another, whatever it is that they do', async () => {
    const { id } = await here.made<Row>('tasks', { title: 'Mine' })
    const [event] = (await here.seen<{ items: Row[] }>(`tasks/${id}/history`)).items
    const acts = [
      ['start', undefined],
      ['assign', { assignee: null }],
      ['times-in-stages', undefined],
      ['revert', { event: event!.id }],
    ] as const
    for (const [name, payload] of acts) {
      const answer = await send('POST', `tasks/${id}/${name}`, '"999"', payload)
      expect([name, answer.statusCode, answer.json().code]).toEqual([name, 412, 'http.condition_failed'])
    }
    expect(await here.seen(`tasks/${id}`)).toMatchObject({ status: 'NEW', version: 1 })
    expect((await send('POST', `tasks/${id}/start`, '"1"')).json()).toMatchObject({ status: 'IN_PROGRESS', version: 2 })
    expect((await send('POST', `tasks/${id}/block`, '*')).json()).toMatchObject({ status: 'BLOCKED' })
  })

  test('doesn’t bring back what is gone, whose state nobody has seen', async () => {
    const { id } = await here.made<Row>('tasks', { title: 'Gone' })
    expect((await here.ann.caller.delete(`${base}/tasks/${id}`)).statusCode).toBe(204)
    expect((await send('POST', `tasks/${id}/restore`, '"1"')).statusCode).toBe(412)
    expect((await send('POST', `tasks/${id}/restore`, '*')).statusCode).toBe(200)
  })

  test('hasn’t seen what came back, whatever state they saw of what it was', async () => {
    const { id } = await here.made<Row>('tasks', { title: 'First' })
    const seen = [tagOf(await get(`tasks/${id}`))]
    seen.push(tagOf(await send('PATCH', `tasks/${id}`, seen[0]!, { title: 'Second' })))
    for (const times of [1, 2]) {
      expect((await here.ann.caller.delete(`${base}/tasks/${id}`)).statusCode).toBe(204)
      const back = await send('POST', `tasks/${id}/restore`, '*')
      for (const tag of seen) {
        expect([times, tag, (await get(`tasks/${id}`, tag)).statusCode]).toEqual([times, tag, 200])
        expect([times, tag, (await send('PATCH', `tasks/${id}`, tag, { title: 'Lost' })).statusCode]).toEqual([times, tag, 412])
      }
      expect((await get(`tasks/${id}`, tagOf(back))).statusCode).toBe(304)
      seen.push(tagOf(back))
    }
  })
})
