import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { systemActor } from '../../src/context/index.ts'
import { NewsletterSubscriber, unsubscribeTokenOf } from '../../src/entities.ts'
import { newId } from '../../src/kernel/id.ts'
import { Caller, openTestHost, type SignedUp, signUp, type TestHost, tokenFor } from './test-host.ts'

const base = '/organizations/current/newsletter-subscribers'

let on: TestHost
let ann: SignedUp
let zoe: SignedUp
let nobody: Caller

beforeAll(async () => {
  on = await openTestHost()
  ann = await signUp(on, 'ann@acme.example', 'Acme')
  zoe = await signUp(on, 'zoe@zenith.example', 'Zenith')
  nobody = new Caller(on)
})
afterAll(() => on[Symbol.asyncDispose]())

const ask = (email: string, more: object = {}, { organization } = ann) =>
  nobody.post(`/newsletters/${organization}/subscriptions`, { email, ...more })
const confirm = (token: string) => nobody.post(`/newsletters/confirm?token=${token}`)
const statusOf = async (email: string, { caller } = ann) => {
  const { items } = (await caller.get(`${base}?email=${encodeURIComponent(email)}`)).json<{ items: { status: string }[] }>()
  return items[0]?.status
}
const mailsTo = (email: string) => on.mails.filter(({ to }) => to === email).length
/** What each mail carries in its `List-Unsubscribe`. */
const unsubscribeUrl = (email: string, { organization } = ann) =>
  on.daybook.transact({ tenant: organization, actor: systemActor('test') }, async em => {
    const subscriber = await em.findOneOrFail(NewsletterSubscriber, { email })
    return `/newsletters/unsubscribe?token=${await unsubscribeTokenOf(em, subscriber)}`
  })
async function subscribed(email: string): Promise<string> {
  await ask(email)
  await confirm(tokenFor(on.mails, email))
  return unsubscribeUrl(email)
}
/** As mail programs do it: no cookie, no origin, a form. */
const oneClick = (url: string, headers: Record<string, string> = {}) =>
  nobody.call('POST', url, {
    payload: 'List-Unsubscribe=One-Click',
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
  })

describe('asking for a newsletter', () => {
  test('mails a token, and only whoever presents it gets the newsletter', async () => {
    const asked = await ask('Ada@Readers.example', { source: 'fair' })
    expect([asked.statusCode, asked.body]).toEqual([202, ''])
    expect(await statusOf('ada@readers.example')).toBe('PENDING')
    const token = tokenFor(on.mails, 'Ada@Readers.example')
    expect((await confirm(token)).json()).toEqual({ status: 'ACTIVE' })
    expect(await statusOf('ada@readers.example')).toBe('ACTIVE')
    expect((await confirm(token)).json()).toMatchObject({ status: 410, code: 'commerce.subscription_token' })
  })

  test('is answered the same for whoever has it already, and mails them nothing', async () => {
    await subscribed('ben@readers.example')
    const before = mailsTo('ben@readers.example')
    const [known, unknown] = [await ask('ben@readers.example'), await ask('new@readers.example')]
    expect([known.statusCode, known.body]).toEqual([unknown.statusCode, unknown.body])
    expect(mailsTo('ben@readers.example')).toBe(before)
  })

  test('mails an address once in an hour however often it is asked for, and each answer is the same', async () => {
    const answers: unknown[] = []
    for (let asked = 0; asked < 5; asked++) {
      const { statusCode, body, headers } = await ask(asked % 2 ? 'Flooded@Readers.example' : 'flooded@readers.example')
      answers.push([statusCode, body, Object.keys(headers)])
    }
    expect(new Set(answers.map(answer => JSON.stringify(answer))).size).toBe(1)
    expect(on.mails.filter(({ to }) => to.toLowerCase() === 'flooded@readers.example')).toHaveLength(1)
    await ask('flooded@readers.example', {}, zoe)
    expect(mailsTo('flooded@readers.example')).toBe(2)
  })

  test('speaks the language that is asked for', async () => {
    await ask('zoé@lecteurs.example', { locale: 'fr-CA' })
    expect(on.mails.at(-1)!.subject).toContain('confirmer')
  })

  test('reaches one organization alone', async () => {
    await ask('only@zenith.example', {}, zoe)
    expect([await statusOf('only@zenith.example'), await statusOf('only@zenith.example', zoe)]).toEqual([undefined, 'PENDING'])
    const none = await nobody.post(`/newsletters/${newId()}/subscriptions`, { email: 'a@b.example' })
    expect([none.statusCode, none.json().code]).toEqual([404, 'http.not_found'])
  })

  test('may come from a form of any site, and not without end', async () => {
    const elsewhere = { origin: 'https://acme.example', 'sec-fetch-site': 'cross-site' }
    const payload = { email: 'form@readers.example' }
    const answer = await nobody.call('POST', `/newsletters/${ann.organization}/subscriptions`, { payload, headers: elsewhere })
    expect(answer.statusCode).toBe(202)
    await using strict = await openTestHost({ rateLimits: { credentials: 2 } })
    const statuses: number[] = []
    for (let attempt = 0; attempt < 4; attempt++) {
      statuses.push((await new Caller(strict).post(`/newsletters/${newId()}/subscriptions`, payload)).statusCode)
    }
    expect(statuses).toEqual([404, 404, 429, 429])
  })

  test.each([['no address'], ['x'.repeat(300)], ['a\0b@x.example'], ['']])('with %s in place of an address is refused', async email => {
    expect((await ask(email)).statusCode).toBeGreaterThanOrEqual(400)
    expect((await ask(email)).statusCode).toBeLessThan(500)
  })

  test('mails a link where the host knows its own address', async () => {
    await using host = await openTestHost({ publicUrl: 'https://news.example/daybook/' })
    const { organization } = await signUp(host, 'ann@acme.example', 'Acme')
    await new Caller(host).post(`/newsletters/${organization}/subscriptions`, { email: 'a@b.example' })
    const link = /https:\/\/\S+/.exec(host.mails.at(-1)!.text)![0]
    expect(link).toMatch(/^https:\/\/news\.example\/daybook\/newsletters\/confirm\?token=[\w.-]+$/)
    expect((await new Caller(host).post(new URL(link).pathname.replace('/daybook', '') + new URL(link).search)).json()).toEqual({
      status: 'ACTIVE',
    })
  })
})

describe('a link in a mail', () => {
  test('does nothing when it is opened, which scanners do too: it shows a page with a button', async () => {
    await ask('cyn@readers.example')
    const confirmUrl = `/newsletters/confirm?token=${tokenFor(on.mails, 'cyn@readers.example')}`
    for (const method of ['GET', 'HEAD', 'GET']) expect((await nobody.call(method, confirmUrl)).statusCode).toBe(200)
    expect(await statusOf('cyn@readers.example')).toBe('PENDING')
    const page = await nobody.get(confirmUrl)
    expect(page.headers).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'referrer-policy': 'no-referrer',
      'cache-control': 'no-store',
    })
    expect(page.body).toContain('<form method="post">')
    expect(page.body).not.toContain('<script')
    await nobody.post(confirmUrl)
    const leaveUrl = await unsubscribeUrl('cyn@readers.example')
    for (const method of ['GET', 'HEAD']) expect((await nobody.call(method, leaveUrl)).statusCode).toBe(200)
    expect(await statusOf('cyn@readers.example')).toBe('ACTIVE')
  })

  test('leaves in one click, without a cookie or an origin, as often as it is clicked', async () => {
    const url = await subscribed('dan@readers.example')
    for (const headers of [
      {},
      { 'content-type': 'multipart/form-data; boundary=x' },
      { origin: 'https://mail.example', 'sec-fetch-site': 'cross-site' },
    ]) {
      const answer = await oneClick(url, headers)
      expect([answer.statusCode, answer.json()]).toEqual([200, { status: 'UNSUBSCRIBED' }])
    }
    expect(await statusOf('dan@readers.example')).toBe('UNSUBSCRIBED')
  })

  test('from a browser is answered with a page, in the language that is asked for', async () => {
    const url = await subscribed('eve@readers.example')
    const page = await oneClick(url, { accept: 'text/html,*/*;q=0.8', 'accept-language': 'fr', 'sec-fetch-site': 'same-origin' })
    expect([page.statusCode, page.headers['content-type'], page.headers['content-language']]).toEqual([
      200,
      'text/html; charset=utf-8',
      'fr',
    ])
    expect(page.body).toContain('Vous ne recevrez plus')
  })

  test('is refused where its token is none, or is for something else', async () => {
    const leave = (await subscribed('fay@readers.example')).split('=')[1]!
    await ask('gus@readers.example')
    const begin = tokenFor(on.mails, 'gus@readers.example')
    const altered = `${leave.slice(0, -1)}${leave.endsWith('A') ? 'B' : 'A'}`
    const moved = `${leave.split('.')[0]}.${begin.split('.')[1]}`
    for (const url of [
      `unsubscribe?token=${begin}`,
      `unsubscribe?token=${moved}`,
      `confirm?token=${leave}`,
      `unsubscribe?token=${'x'.repeat(66)}`,
    ]) {
      const answer = await oneClick(`/newsletters/${url}`)
      expect([url, answer.statusCode, answer.json().code]).toEqual([url, 410, 'commerce.subscription_token'])
    }
    expect((await oneClick(`/newsletters/unsubscribe?token=${altered}`)).statusCode).toBe(410)
    for (const query of ['', '?token=', `?token=${'x'.repeat(300)}`, '?token=%00%00%00%00%00%00%00%00%00%00%00%00%00%00%00%00']) {
      expect((await oneClick(`/newsletters/unsubscribe${query}`)).statusCode).toBe(400)
    }
    expect([await statusOf('fay@readers.example'), await statusOf('gus@readers.example')]).toEqual(['ACTIVE', 'PENDING'])
  })

  test('leaves no token in the log', async () => {
    const url = await subscribed('hal@readers.example')
    await oneClick(url)
    const token = url.split('=')[1]!
    expect(on.log.filter(line => line.includes(token))).toEqual([])
  })

  test('is told by the organization’s own log', async () => {
    await oneClick(await subscribed('ida@readers.example'))
    const { items } = (await ann.caller.get('/organizations/current/events?entity=newsletter-subscriber&limit=1')).json<{
      items: { actor: object }[]
    }>()
    expect(items[0]!.actor).toEqual({ type: 'system', id: 'newsletter' })
  })
})
