import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { systemActor, userActor } from '../../src/context/index.ts'
import { Organization } from '../../src/domain/organizations/index.ts'
import { Task } from '../../src/domain/work/index.ts'
import { newId } from '../../src/kernel/id.ts'
import { Caller, cookieIn, openTestHost, roleIdOf, type SignedUp, signUp, type TestHost, password, tokenFor } from './test-host.ts'

const base = '/organizations/current'
let on: TestHost
let ann: SignedUp
let zoe: SignedUp
let origin: string

beforeAll(async () => {
  on = await openTestHost()
  ann = await signUp(on, 'ann@acme.example', 'Acme')
  zoe = await signUp(on, 'zoe@zenith.example', 'Zenith')
  await on.host.listen({ port: 0, host: '127.0.0.1' })
  origin = `http://127.0.0.1:${(on.host.server.address() as AddressInfo).port}`
})
afterAll(() => on[Symbol.asyncDispose]())

const addTask = async (title: string, by = ann) => (await by.caller.post(`${base}/tasks`, { title })).json<{ id: string }>().id

async function keyFor(by: SignedUp, scopes: string[]): Promise<string> {
  const made = await by.caller.post(`${base}/api-keys`, { name: 'k', environment: 'LIVE', scopes })
  return `Bearer ${made.json().secret}`
}

interface Feed {
  readonly items: { id: string; type: string; entityId: string; after: { title: string } }[]
  readonly next: string | null
}

test('a HEAD of the export looks whether it may be taken, and reads nothing of the log', async () => {
  const authorization = await keyFor(ann, ['audit-event:export'])
  const look = () => fetch(`${origin}${base}/events/export`, { method: 'HEAD', headers: { authorization } })
  const answer = await look()
  expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'application/x-ndjson'])
  const transactions = vi.spyOn(on.daybook, 'transact')
  try {
    await look()
    await sleep(500)
    expect(transactions).toHaveBeenCalledTimes(1)
  } finally {
    transactions.mockRestore()
  }
})

describe('the log', () => {
  test('is read page by page, the newest first, by what one looks for', async () => {
    const ids = [await addTask('one'), await addTask('two'), await addTask('three')]
    await addTask('theirs', zoe)
    const titles: string[] = []
    for (let before: string | null = ''; before !== null;) {
      const page: Feed = (await ann.caller.get(`${base}/events?type=task.created&limit=2${before && `&before=${before}`}`)).json<Feed>()
      titles.push(...page.items.map(({ after }) => after.title))
      before = page.next
    }
    expect(titles).toEqual(['three', 'two', 'one'])
    const [event] = (await ann.caller.get(`${base}/events?entity=task&entityId=${ids[0]}`)).json<Feed>().items
    expect(event).toMatchObject({ type: 'task.created', actor: { type: 'user', id: ann.user } })
    expect(Object.keys(event!)).not.toContain('seq')
    expect((await ann.caller.get(`${base}/events/${event!.id}`)).json()).toEqual(event)
    expect((await zoe.caller.get(`${base}/events/${event!.id}`)).statusCode).toBe(404)
    expect((await zoe.caller.get(`${base}/events?before=${event!.id}`)).statusCode).toBe(404)
  })

  test('is narrowed to those of a type who act, whoever they are', async () => {
    await addTask('by hand')
    const actors = async (path: string) => (await ann.caller.get(`${base}/${path}`)).body
    expect(JSON.parse(await actors('events?actorType=agent'))).toEqual({ items: [], next: null })
    expect(await actors('events/export?actorType=agent')).toBe('')
    expect(await actors(`events?actorType=user&type=task.created&limit=1`)).toContain('by hand')
    expect(await actors(`events/export?actorType=user&actor=${ann.user}`)).toContain('by hand')
  })

  test('as a whole is for those alone who manage the organization', async () => {
    await ann.caller.post(`${base}/invitations`, { email: 'max@x.example', role: await roleIdOf(ann.caller, 'MEMBER') })
    await new Caller(on).post('/invitations/accept', { token: tokenFor(on.mails, 'max@x.example'), password })
    const max = new Caller(on)
    await max.signIn('max@x.example')
    for (const path of ['events', 'events/export', 'events/live', 'decisions']) {
      expect([path, (await max.get(`${base}/${path}`)).statusCode]).toEqual([path, 403])
    }
    expect((await max.get(`${base}/tasks/${await addTask('open')}/history`)).statusCode).toBe(200)
  })

  test('is taken along as lines of JSON, all of it, and nobody else’s', async () => {
    await addTask('theirs too', zoe)
    const answer = await ann.caller.get(`${base}/events/export`)
    const events = answer.body
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line) as Feed['items'][number])
    expect(answer.headers['content-type']).toBe('application/x-ndjson')
    expect(events.filter(({ type }) => type === 'task.created').length).toBeGreaterThanOrEqual(3)
    expect(new Set(events.map(({ id }) => id)).size).toBe(events.length)
    expect(answer.body).not.toContain('theirs')
  })

  test('is taken along no further than the session lasts', async () => {
    const scope = { tenant: ann.organization, actor: userActor(ann.user) }
    await on.daybook.transact(scope, em => {
      // A page of them fits into no buffer on the way.
      for (let count = 0; count < 520; count++) em.create(Task, { title: `Long ${count}`, description: 'x'.repeat(40_000) })
      return Promise.resolve()
    })
    const cookie = cookieIn(await new Caller(on).signIn('ann@acme.example'))
    const response = await fetch(`${origin}${base}/events/export?entity=task`, { headers: { cookie } })
    const reader = response.body!.getReader()
    await reader.read()
    expect((await new Caller(on, { cookie }).post('/auth/sign-out')).statusCode).toBe(204)
    const rest = async () => {
      while (!(await reader.read()).done);
    }
    await expect(rest()).rejects.toThrow()
  })

  test('is taken along for a spreadsheet, which runs nothing of what people have written', async () => {
    const formula = '=HYPERLINK("https://evil.example","click")'
    await addTask(formula)
    const key = new Caller(on, { authorization: await keyFor(ann, ['audit-event:export', 'task:create']) })
    await key.call('POST', `${base}/tasks`, { payload: { title: 'x' }, headers: { 'x-request-id': 'no uuid' } })
    const { body, headers } = await ann.caller.get(`${base}/events/export?format=csv&type=task.created`)
    expect(headers['content-disposition']).toBe('attachment; filename="events.csv"')
    const [head, ...lines] = body.trimEnd().split('\r\n')
    expect(head).toContain('"recordedAt","type","entity"')
    expect(lines.every(line => !/(^|,)"?[=+@-]/.test(line.replaceAll('""', '')))).toBe(true)
    expect(body).toContain('HYPERLINK')
  })
})

describe('whoever listens', () => {
  /** What arrives within a while, or until enough has. */
  async function listen(headers: Record<string, string>, enough: number, meanwhile: () => Promise<unknown>): Promise<string[]> {
    const stop = new AbortController()
    const response = await fetch(`${origin}${base}/events/live`, { headers, signal: stop.signal })
    expect(response.headers.get('content-type')).toBe('text/event-stream')
    const seen: string[] = []
    const reading = (async () => {
      let text = ''
      for await (const part of response.body!.pipeThrough(new TextDecoderStream())) {
        text += part
        const events = text.split('\n\n').filter(each => each.startsWith('id: '))
        if (events.length >= enough && text.endsWith('\n\n')) return events
      }
      return text.split('\n\n').filter(each => each.startsWith('id: '))
    })()
    await meanwhile()
    const found = await Promise.race([reading, new Promise<string[]>(resolve => setTimeout(() => resolve(seen), 8_000))])
    stop.abort()
    await reading.catch(() => undefined)
    return found
  }
  const titleIn = (event: string) => (JSON.parse(/^data: (.*)$/m.exec(event)![1]!) as { after: { title: string } }).after.title
  const idIn = (event: string) => /^id: (.*)$/m.exec(event)![1]!

  test('is told what happens from then on, in their organization, and goes on where they were', async () => {
    const authorization = await keyFor(ann, ['audit-event:read'])
    const first = await listen({ authorization }, 2, async () => {
      await addTask('theirs', zoe)
      await addTask('heard 1')
      await addTask('heard 2')
    })
    expect(first.map(titleIn)).toEqual(['heard 1', 'heard 2'])
    await addTask('missed')
    const second = await listen({ authorization, 'last-event-id': idIn(first[0]!) }, 3, () => addTask('heard 3'))
    expect(second.map(titleIn)).toEqual(['heard 2', 'missed', 'heard 3'])
  })

  test('goes on nowhere from what is no event', async () => {
    const authorization = await keyFor(ann, ['audit-event:read'])
    const listening = (last: string) => fetch(`${origin}${base}/events/live`, { headers: { authorization, 'last-event-id': last } })
    for (const last of ['x', '-'.repeat(36), '7']) {
      const answer = await listening(last)
      expect([answer.status, await answer.json()]).toMatchObject([400, { errors: [{ pointer: '#/last-event-id', in: 'headers' }] }])
    }
    expect((await listening(newId())).status).toBe(404)
  })

  test('is counted as long as they stay, in one organization and in all of them', async () => {
    await using few = await openTestHost({ listeners: { perTenant: 2, perHost: 3 } })
    const here = [await signUp(few, 'ann@acme.example', 'Acme'), await signUp(few, 'zoe@zenith.example', 'Zenith')]
    const [anns, zoes] = await Promise.all(here.map(each => keyFor(each, ['audit-event:read'])))
    const stranger = await keyFor(here[0]!, ['task:read'])
    await few.host.listen({ port: 0, host: '127.0.0.1' })
    const url = `http://127.0.0.1:${(few.host.server.address() as AddressInfo).port}${base}/events/live`
    const come = async (authorization: string) => {
      const connection = new AbortController()
      const { status, headers, body } = await fetch(url, { headers: { authorization }, signal: connection.signal })
      if (status === 200) return { status, leave: () => connection.abort() }
      const { code } = JSON.parse(await new Response(body).text()) as { code: string }
      return { status, code, retryAfter: Number(headers.get('retry-after')), leave: () => undefined }
    }
    const [first, second] = [await come(anns!), await come(anns!)]
    expect([first.status, second.status]).toEqual([200, 200])
    expect(await come(anns!)).toMatchObject({ status: 429, code: 'http.too_many_listeners', retryAfter: 10 })
    // Whoever may not listen at all doesn't learn how many do.
    expect(await come(stranger)).toMatchObject({ status: 403 })
    expect((await come(zoes!)).status).toBe(200)
    expect(await come(zoes!)).toMatchObject({ status: 503, code: 'http.busy', retryAfter: 1 })
    first.leave()
    second.leave()
    await expect.poll(async () => (await come(zoes!)).status, { timeout: 10_000 }).toBe(200)
    await expect.poll(async () => (await come(anns!)).status, { timeout: 10_000 }).toBe(200)
    expect(await come(anns!)).toMatchObject({ status: 503 })
  })

  test('by HEAD is told the headers, and counts no longer', async () => {
    await using few = await openTestHost({ listeners: { perTenant: 1 } })
    const authorization = await keyFor(await signUp(few, 'ann@acme.example', 'Acme'), ['audit-event:read'])
    await few.host.listen({ port: 0, host: '127.0.0.1' })
    const url = `http://127.0.0.1:${(few.host.server.address() as AddressInfo).port}${base}/events/live`
    const look = async () => (await fetch(url, { method: 'HEAD', headers: { authorization } })).status
    expect(await look()).toBe(200)
    await expect.poll(look, { timeout: 10_000 }).toBe(200)
  })

  test('is let go when the permission is gone', async () => {
    const made = await ann.caller.post(`${base}/api-keys`, { name: 'k', environment: 'LIVE', scopes: ['audit-event:read'] })
    const { secret, apiKey } = made.json<{ secret: string; apiKey: { id: string } }>()
    const response = await fetch(`${origin}${base}/events/live`, { headers: { authorization: `Bearer ${secret}` } })
    await ann.caller.delete(`${base}/api-keys/${apiKey.id}`)
    await addTask('not for a revoked key')
    const heard = await response.text()
    expect(heard).not.toContain('not for a revoked key')
  })
  test('is let go when the organization is suspended, and nothing has failed by that', async () => {
    const cookie = cookieIn(await new Caller(on).signIn('zoe@zenith.example'))
    const url = `${origin}/organizations/${zoe.organization}/events/live`
    const response = await fetch(url, { headers: { cookie } })
    const suspension = { kind: 'operator', actor: systemActor('test'), reason: 'unpaid' } as const
    const become = (status: 'ACTIVE' | 'SUSPENDED') =>
      on.daybook.transact(suspension, em => em.nativeUpdate(Organization, { id: zoe.organization }, { status }))
    await become('SUSPENDED')
    try {
      expect(await response.text()).toBe(': listening\n\n')
      expect(on.log.filter(line => line.includes('organization.not_served'))).toEqual([])
    } finally {
      await become('ACTIVE')
    }
  })

  test('is let go when their session is over, though nothing happens', async () => {
    const cookie = cookieIn(await new Caller(on).signIn('ann@acme.example'))
    const stop = new AbortController()
    const response = await fetch(`${origin}${base}/events/live`, { headers: { cookie }, signal: stop.signal })
    expect((await new Caller(on, { cookie }).post('/auth/sign-out')).statusCode).toBe(204)
    const clock = performance.now.bind(performance)
    // The next word to those who hear nothing is due.
    const later = vi.spyOn(performance, 'now').mockImplementation(() => clock() + 16_000)
    const timer = setTimeout(() => stop.abort(), 8_000)
    const heard = await response.text().finally(() => {
      later.mockRestore()
      clearTimeout(timer)
    })
    expect(heard).toBe(': listening\n\n')
  })
})
