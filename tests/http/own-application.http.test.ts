import cookie from '@fastify/cookie'
import rateLimit from '@fastify/rate-limit'
import swagger from '@fastify/swagger'
import Fastify, { type FastifyInstance } from 'fastify'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Task } from '../../src/domain/work/index.ts'
import { type Area, daybookPlugin, daybookRequests, inTenant, securitySchemes } from '../../src/http/index.ts'
import type { Daybook } from '../../src/orm/index.ts'
import { openTestDaybook } from '../../src/testing/index.ts'
import { Caller, cookieIn, password } from './test-host.ts'

let daybook: Daybook
let other: Daybook

beforeAll(async () => {
  ;[daybook, other] = await Promise.all([openTestDaybook(), openTestDaybook()])
})
afterAll(() => Promise.all([daybook.close(), other.close()]))

const served = { rateLimits: false } as const

/** Somebody with an organization of their own, signed in below a prefix. */
async function signUpAt(app: FastifyInstance, prefix: string, email: string): Promise<{ caller: Caller; organization: string }> {
  const nobody = new Caller({ host: app })
  const made = await nobody.post(`${prefix}/auth/sign-up`, { email, password, organization: { name: email } })
  const session = cookieIn(await nobody.post(`${prefix}/auth/sign-in`, { email, password }))
  return { caller: new Caller({ host: app }, { cookie: session }), organization: made.json().organization.id }
}

describe('an application with ways of its own', () => {
  class Forbidden extends Error {
    readonly statusCode = 403
  }
  let app: FastifyInstance

  beforeAll(async () => {
    app = Fastify()
    app.decorate('daybook', 'mine')
    app.decorateRequest('principal', 'mine')
    app.setErrorHandler((error, _request, reply) => reply.code(418).send({ mine: String(error) }))
    app.setValidatorCompiler(() => () => ({ error: new Error('checked my way') }))
    app.setSerializerCompiler(() => () => '"written my way"')
    app.setReplySerializer(payload => JSON.stringify({ wrapped: payload }))
    app.addHook('onRequest', async request => {
      if (request.headers['x-blocked'] !== undefined) throw new Forbidden('blocked')
    })
    await app.register(cookie, { hook: false, parseOptions: { path: '/mine', domain: 'mine.example' } })
    await app.register(rateLimit, { max: 1_000_000 })
    await app.register(swagger, { openapi: { openapi: '3.1.0', components: { securitySchemes: securitySchemes() } } })
    app.get('/own', () => ({ own: true }))
    await app.register(daybookPlugin, { ...served, daybook, prefix: '/daybook' })
    await app.ready()
  })
  afterAll(() => app.close())

  test('is served by Daybook as if it had none, and keeps them', async () => {
    const { caller } = await signUpAt(app, '/daybook', 'ann@acme.example')
    const me = await caller.get('/daybook/me')
    expect([me.statusCode, me.json().user.email]).toEqual([200, 'ann@acme.example'])
    const made = await caller.post('/daybook/organizations/current/tasks', { title: 'Mend the pump' })
    expect(made.statusCode).toBe(201)
    expect((await caller.get(String(made.headers.location))).json().title).toBe('Mend the pump')
    expect((await caller.post('/daybook/organizations/current/tasks', { title: 5 })).json().code).toBe('http.invalid_request')
    expect((await caller.get('/own')).json()).toEqual({ wrapped: { own: true } })
    expect((await caller.get('/nowhere')).headers['content-type']).not.toContain('problem')
    expect((await caller.get('/daybook/nowhere')).json().code).toBe('http.route_not_found')
  })

  test('has what its own hooks refuse answered by its own handler', async () => {
    const refused = await new Caller({ host: app }, { 'x-blocked': '' }).get('/daybook/me')
    expect([refused.statusCode, refused.json()]).toEqual([418, { mine: 'Error: blocked' }])
  })

  test('has the routes in its own description', () => {
    const { paths = {} } = app.swagger() as { paths?: Record<string, { get?: object }> }
    expect(paths['/daybook/organizations/{organization}/tasks']?.get).toMatchObject({
      operationId: 'getDaybookTasks',
      tags: ['tasks'],
      security: [{ session: [] }, { key: [] }],
    })
  })
})

describe('some areas', () => {
  test('are served and no others', async () => {
    const app = Fastify()
    await app.register(daybookPlugin, { ...served, daybook, areas: ['identity', 'work', 'billing'] })
    const { caller } = await signUpAt(app, '', 'bea@bee.example')
    const status = async (path: string) => (await caller.get(path)).statusCode
    for (const path of ['/me', '/organizations/current/tasks', '/organizations/current/subscriptions', '/openapi.json'])
      expect([path, await status(path)]).toEqual([path, 200])
    for (const path of [
      '/health/live',
      '/organizations/current/members',
      '/organizations/current/events',
      '/organizations/current/projects',
    ])
      expect([path, await status(path)]).toEqual([path, 404])
    const { paths } = (await caller.get('/openapi.json')).json<{ paths: object }>()
    expect(Object.keys(paths).filter(path => /projects|members|decisions|health/.test(path))).toEqual([])
    await app.close()
  })

  test('leave unknown paths to the application where they have no prefix', async () => {
    const app = Fastify()
    app.setNotFoundHandler((_request, reply) => reply.code(404).send('mine'))
    const each: Area[] = ['identity', 'work']
    for (const area of each) await app.register(daybookPlugin, { ...served, daybook, areas: [area], docs: false })
    expect((await app.inject('/nowhere')).body).toBe('mine')
    expect((await app.inject('/organizations/current/tasks')).json().code).toBe('http.unauthenticated')
    await app.close()
  })
})

test('two databases are served side by side, each with its own sessions, rows and description', async () => {
  const app = Fastify()
  await app.register(daybookPlugin, { ...served, daybook, prefix: '/one' })
  await app.register(daybookPlugin, { ...served, daybook: other, prefix: '/two', sessionCookie: 'two' })
  const one = await signUpAt(app, '/one', 'cleo@one.example')
  const two = await signUpAt(app, '/two', 'cleo@two.example')
  expect((await one.caller.get('/one/me')).json().activeOrganization).toBe(one.organization)
  expect((await two.caller.get('/two/me')).json().activeOrganization).toBe(two.organization)
  expect((await one.caller.get('/two/me')).json().code).toBe('http.unauthenticated')
  const [first, second] = await Promise.all(['/one/openapi.json', '/two/openapi.json'].map(url => app.inject(url)))
  const [schema, same] = [first!, second!].map(
    answer => answer.json<{ components: { schemas: Record<string, object> } }>().components.schemas,
  )
  expect(schema!.Tasks).toEqual(same!.Tasks)
  expect(schema!.Tasks).not.toEqual(schema!.Projects)
  expect(second!.json<{ components: { securitySchemes: object } }>().components.securitySchemes).toMatchObject({ session: { name: 'two' } })
  await app.close()
})

describe('routes of an application’s own', () => {
  let app: FastifyInstance
  let ann: Caller
  let annsOrganization: string
  let zoe: Caller

  beforeAll(async () => {
    app = Fastify()
    app.setErrorHandler((error, _request, reply) => reply.code(418).send(String(error)))
    app.get('/open', () => 'open')
    await app.register(daybookPlugin, { ...served, daybook, prefix: '/daybook' })
    await app.register(async own => {
      await own.register(daybookRequests, { daybook })
      own.get('/count', request => inTenant(request, 'task:read', ({ em }) => em.count(Task)))
      own.get('/organizations/:organization/count', request => inTenant(request, 'task:read', ({ em }) => em.count(Task)))
      own.post<{ Body: { titles: string[] } }>('/tasks', request =>
        inTenant(request, 'task:create', async ({ em }) => {
          for (const title of request.body.titles) {
            em.create(Task, { title })
            await em.flush()
            if (title === 'fails') throw new TypeError('mine')
          }
          return { made: request.body.titles.length }
        }),
      )
      own.get('/public', { config: { access: 'public' } }, () => ({ open: true }))
    })
    app.get('/stray', request => inTenant(request, 'task:read', ({ em }) => em.count(Task)))
    ;({ caller: ann, organization: annsOrganization } = await signUpAt(app, '/daybook', 'ann@own.example'))
    ;({ caller: zoe } = await signUpAt(app, '/daybook', 'zoe@own.example'))
  })
  afterAll(() => app.close())

  test('work in the tenant of whoever asks, with a credential, and see nothing of other tenants', async () => {
    expect((await ann.post('/tasks', { titles: ['one', 'two'] })).json()).toEqual({ made: 2 })
    expect([(await ann.get('/count')).body, (await zoe.get('/count')).body]).toEqual(['2', '0'])
    expect((await ann.get(`/organizations/${annsOrganization}/count`)).body).toBe('2')
    const foreign = await zoe.get(`/organizations/${annsOrganization}/count`)
    expect([foreign.statusCode, foreign.json().code]).toEqual([404, 'http.not_found'])
    const nobody = await new Caller({ host: app }).get('/count')
    expect([nobody.statusCode, nobody.headers['content-type']]).toEqual([401, expect.stringContaining('application/problem+json')])
  })

  test('are one transaction each, and their own errors are answered their own way', async () => {
    const before = (await ann.get('/count')).body
    const failed = await ann.post('/tasks', { titles: ['three', 'fails'] })
    expect([failed.statusCode, failed.body]).toEqual([418, 'TypeError: mine'])
    expect((await ann.get('/count')).body).toBe(before)
  })

  test('need the permission that they name, and refuse what other sites send', async () => {
    const issued = await ann.post('/daybook/organizations/current/api-keys', { name: 'k', environment: 'LIVE', scopes: ['role:read'] })
    const program = new Caller({ host: app }, { authorization: `Bearer ${issued.json().secret}` })
    expect((await program.get('/count')).json()).toMatchObject({ status: 403, code: 'access.denied' })
    const elsewhere = await ann.call('POST', '/tasks', { payload: { titles: [] }, headers: { 'sec-fetch-site': 'cross-site' } })
    expect(elsewhere.json().code).toBe('http.cross_site')
  })

  test('leave the rest of the application alone', async () => {
    expect((await app.inject('/open')).body).toBe('open')
    expect((await app.inject('/public')).json()).toEqual({ open: true })
    expect((await ann.get('/stray')).body).toContain('This route is not below Daybook')
  })
})
