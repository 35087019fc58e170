import type { EntityClass } from '@mikro-orm/core'
import type { TSchema } from 'typebox'
import type { FastifyInstance, FastifySchema, InjectOptions, LightMyRequestResponse } from 'fastify'
import { Writable } from 'node:stream'
import { catalogue, daybookHost, type HostOptions, type Mail } from '../../src/http/index.ts'
import { type Daybook, declarationOf } from '../../src/orm/index.ts'
import { createRow, openTestDaybook, type RowData, type TestOptions } from '../../src/testing/index.ts'
import type { Schema } from './sample.ts'

export const password = 'a long and private sentence'

export interface Route {
  readonly method: string
  readonly url: string
  readonly takesBody: boolean
  readonly body?: Schema
  readonly query?: Schema
  /** What it answers when all is well. */
  readonly response?: TSchema
}

/** A host on a database of its own, with everything it mails and logs at hand. */
export interface TestHost extends AsyncDisposable {
  readonly daybook: Daybook
  readonly host: FastifyInstance
  readonly mails: Mail[]
  readonly log: string[]
  readonly routes: readonly Route[]
}

export async function openTestHost(options: HostOptions = {}, testOptions: TestOptions = {}): Promise<TestHost> {
  const daybook = await openTestDaybook(testOptions)
  const mails: Mail[] = []
  const log: string[] = []
  const stream = new Writable({
    write(line: Buffer, _encoding, done) {
      log.push(line.toString())
      done()
    },
  })
  const mailer = { send: async (mail: Mail) => void mails.push(mail) }
  const host = daybookHost(daybook, { logger: { level: 'trace', stream }, mailer, rateLimits: false, load: false, ...options })
  const routes: Route[] = []
  host.addHook('onRoute', ({ method, url, schema }) => {
    routes.push(...[method].flat().map(each => ({ method: each, url, takesBody: schema?.body !== undefined, ...schemasIn(schema) })))
  })
  await host.ready()
  const close = async () => {
    await host.close()
    await daybook.close()
  }
  return { daybook, host, mails, log, routes, [Symbol.asyncDispose]: close }
}

function schemasIn(schema: FastifySchema = {}): Pick<Route, 'body' | 'query' | 'response'> {
  const { body, querystring, response } = schema as { body?: Schema; querystring?: Schema; response?: Record<string, TSchema> }
  return { ...(body && { body }), ...(querystring && { query: querystring }), ...(response?.[200] && { response: response[200] }) }
}

type Call = Omit<InjectOptions, 'method' | 'url'>

/** Somebody who talks to the host: a browser with its cookie, a program with its key, or nobody. */
export class Caller {
  readonly #host: FastifyInstance
  #credential: Record<string, string>

  constructor({ host }: Pick<TestHost, 'host'>, credential: Record<string, string> = {}) {
    this.#host = host
    this.#credential = credential
  }

  get(url: string): Promise<LightMyRequestResponse> {
    return this.call('GET', url)
  }

  post(url: string, payload?: object): Promise<LightMyRequestResponse> {
    return this.call('POST', url, payload && { payload })
  }

  patch(url: string, payload: object): Promise<LightMyRequestResponse> {
    return this.call('PATCH', url, { payload })
  }

  delete(url: string): Promise<LightMyRequestResponse> {
    return this.call('DELETE', url)
  }

  async call(method: string, url: string, { headers, ...rest }: Call = {}): Promise<LightMyRequestResponse> {
    const json = method === 'POST' || method === 'PATCH' ? { 'content-type': 'application/json' } : {}
    return this.#host.inject({
      method: method as 'GET',
      url,
      headers: { ...json, ...this.#credential, ...headers },
      ...rest,
    })
  }

  /** Signs in and keeps the cookie. */
  async signIn(email: string, secret = password): Promise<LightMyRequestResponse> {
    const answer = await this.post('/auth/sign-in', { email, password: secret })
    this.#credential = { cookie: cookieIn(answer) }
    return answer
  }
}

export interface SignedUp {
  readonly caller: Caller
  readonly user: string
  readonly organization: string
}

/** A person with an organization of their own, signed in. */
export async function signUp(on: TestHost, email: string, organization: string): Promise<SignedUp> {
  const caller = new Caller(on)
  const made = (await caller.post('/auth/sign-up', { email, password, organization: { name: organization } })).json()
  await caller.signIn(email)
  return { caller, user: made.user.id, organization: made.organization.id }
}

export function cookieIn(answer: LightMyRequestResponse): string {
  return String(answer.headers['set-cookie']).split(';', 1)[0]!
}

/** The token in the newest mail to an address. */
export function tokenFor(mails: readonly Mail[], to: string): string {
  const text = mails.findLast(mail => mail.to === to)?.text ?? ''
  return /^[\w-]+(?:\.[\w-]+)?$/m.exec(text.split('\n\n')[1] ?? '')![0]
}

export async function roleIdOf(caller: Caller, key: string): Promise<string> {
  const { items } = (await caller.get('/organizations/current/roles?limit=200')).json<{ items: { id: string; key: string }[] }>()
  return items.find(role => role.key === key)!.id
}

/** A row of an entity in somebody's organization, with whatever it refers to; theirs, where nobody else would see it. */
export async function rowFor(
  { daybook }: TestHost,
  { user, organization }: SignedUp,
  entity: Row,
  overrides: RowData = {},
): Promise<string> {
  const owner = declarationOf(entity)?.privateTo
  const meta = daybook.orm.getMetadata().get(entity)
  return String((await createRow(daybook, organization, meta, { ...(owner !== undefined && { [owner]: user }), ...overrides })).id)
}

type Row = EntityClass<object>

/** What has all of its routes from its entity. */
export const wholeResources = Object.values(catalogue)
  .flat()
  .filter(({ options }) => !options.isOnlyPast)

/** Where an entity's resource lives: `ContentEntry` and `content-entries` come to the same. */
export function collectionOf({ routes }: TestHost, { name }: { readonly name: string }): string {
  const bare = (text: string) => text.replaceAll('-', '').toLowerCase().replace(/ies$/, 'y').replace(/s$/, '')
  return routes.map(({ url }) => url.split('/')[3] ?? '').find(path => bare(path) === bare(name))!
}
