import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { daybookHost } from '../../src/http/index.ts'
import { Caller, cookieIn, openTestHost, signUp, type TestHost } from './test-host.ts'

const ours = 'https://app.example.com'
const theirs = 'https://app.example.com.evil.example'

let on: TestHost
let cookie: string

beforeAll(async () => {
  on = await openTestHost({ allowedOrigins: [ours], rateLimits: { requests: 50 } })
  await signUp(on, 'ann@acme.example', 'Acme')
  cookie = cookieIn(await new Caller(on).signIn('ann@acme.example'))
})
afterAll(() => on[Symbol.asyncDispose]())

const preflight = (origin: string, url = '/organizations/current/tasks') =>
  on.host.inject({
    method: 'OPTIONS',
    url,
    headers: { origin, 'access-control-request-method': 'PATCH', 'access-control-request-headers': 'content-type, if-match' },
  })
/** As a browser does it: from another site, with the cookie. */
const patch = (origin: string) =>
  on.host.inject({
    method: 'PATCH',
    url: '/organizations/current/tasks/01890a5d-ac96-774b-bcce-b302099a8057',
    headers: { origin, cookie, 'sec-fetch-site': 'same-site', 'content-type': 'application/json', 'if-match': '*' },
    payload: { title: 'Mend' },
  })

describe('a page of an origin that is listed', () => {
  test('reads refusals too, whatever it has asked for', async () => {
    for (const [url, code] of [
      ['/%zz', 'http.invalid_request'],
      [`/organizations/${'x'.repeat(5_000)}`, 'http.address_too_long'],
      ['/nothing', 'http.route_not_found'],
    ]) {
      const { headers, json } = await on.host.inject({ url: url!, headers: { origin: ours } })
      expect([url, json().code, headers['access-control-allow-origin'], headers['content-type']]).toEqual([
        url,
        code,
        ours,
        expect.stringContaining('application/problem+json'),
      ])
      expect(headers).toMatchObject({ ratelimit: expect.stringContaining('"address"'), 'x-content-type-options': 'nosniff' })
    }
  })

  test('may ask, with what a request of ours needs', async () => {
    const { statusCode, headers } = await preflight(ours)
    expect([statusCode, headers['access-control-allow-origin'], headers['access-control-allow-credentials']]).toEqual([204, ours, 'true'])
    expect(headers['access-control-allow-methods']).toContain('PATCH')
    for (const name of ['If-Match', 'Idempotency-Key', 'Authorization']) expect(headers['access-control-allow-headers']).toContain(name)
    expect(headers.vary).toContain('Origin')
  })

  test('works with a person’s session, and reads the headers that it needs', async () => {
    const { statusCode, headers } = await on.host.inject({ url: '/me', headers: { origin: ours, cookie, 'sec-fetch-site': 'same-site' } })
    expect([statusCode, headers['access-control-allow-origin']]).toEqual([200, ours])
    for (const name of ['ETag', 'Location', 'Retry-After', 'RateLimit', 'RateLimit-Policy', 'X-Request-Id']) {
      expect(headers['access-control-expose-headers']).toContain(name)
    }
    // It got as far as looking for the task.
    expect((await patch(ours)).json()).toMatchObject({ status: 404, code: 'http.not_found' })
  })

  test('also reads why it is refused, and when to come back', async () => {
    const ask = () => on.host.inject({ url: '/nothing', remoteAddress: '192.0.2.1', headers: { origin: ours } })
    let answer = await ask()
    for (let more = 0; more < 50; more++) answer = await ask()
    expect([answer.statusCode, answer.headers['access-control-allow-origin']]).toEqual([429, ours])
  })
})

describe.each([theirs, 'http://app.example.com', 'https://app.example.com:8443', 'null', 'https://APP.example.com'])(
  'a page of %s',
  origin => {
    test('is told nothing, reads nothing and changes nothing', async () => {
      const asked = await preflight(origin)
      expect([asked.statusCode, asked.headers['access-control-allow-origin']]).toEqual([405, undefined])
      const read = await on.host.inject({ url: '/me', headers: { origin, cookie } })
      expect(read.headers['access-control-allow-origin']).toBeUndefined()
      expect(read.headers['access-control-allow-credentials']).toBeUndefined()
      expect((await patch(origin)).json()).toMatchObject({ status: 403, code: 'http.cross_site' })
    })
  },
)

test('without a list there is no CORS at all', async () => {
  await using closed = await openTestHost()
  const headers = { origin: ours, 'access-control-request-method': 'GET' }
  const answer = await closed.host.inject({ method: 'OPTIONS', url: '/me', headers })
  expect(Object.keys(answer.headers).filter(name => name.startsWith('access-control'))).toEqual([])
  const read = await closed.host.inject({ url: '/health/live', headers })
  expect(Object.keys(read.headers).filter(name => name.startsWith('access-control'))).toEqual([])
})

test.each(['*', 'null', 'https://app.example.com/', 'app.example.com', 'https://*.example.com', 'https://a.example/path'])(
  'a list with %s in it is refused when the host starts',
  async origin => {
    const host = daybookHost(on.daybook, { allowedOrigins: [origin] })
    await expect(host.ready()).rejects.toThrow(/not an origin/)
    await host.close()
  },
)
