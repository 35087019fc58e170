import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { systemActor } from '../../src/context/index.ts'
import { importSubscribers, NewsletterSubscriber } from '../../src/entities.ts'
import { marker, type MarkedRows, plantMarkers } from './contract/marked-rows.ts'
import { complaintAbout, type Document, type Operation, operationsIn } from './contract/operations.ts'
import { type Ground, type Request, requestTo } from './contract/requests.ts'
import { Caller, collectionOf, openTestHost, roleIdOf, rowFor, type SignedUp, signUp, type TestHost, wholeResources } from './test-host.ts'

/** For each operation: the same few ones each time, and as many new ones as a nightly run asks for. A failure prints the seed. */
const { DAYBOOK_CONTRACT_RUNS: runs, DAYBOOK_PROPERTY_SEED: given } = process.env
const numRuns = Number(runs ?? 6)
const seed = Number(given ?? (runs ? Date.now() % 2 ** 31 : 1))

let on: TestHost
let ann: SignedUp
let zoe: SignedUp
let program: Caller
let planted: MarkedRows
let ground: Ground
let document: Document
let before: string

beforeAll(async () => {
  on = await openTestHost()
  ann = await signUp(on, 'ann@acme.example', 'Acme')
  zoe = await signUp(on, `${marker}@zenith.example`, marker)
  planted = await plantMarkers(on, zoe)
  const own: Record<string, string> = await accessRowsOf(ann, 'ours')
  for (const { entity } of wholeResources) own[collectionOf(on, entity)] = await rowFor(on, ann, entity)
  own['newsletter-subscribers'] = await readerOf(ann)
  const foreign = { ...planted.ids, ...(await accessRowsOf(zoe, marker)) }
  ground = { own, foreign, organization: ann.organization, foreignOrganization: zoe.organization }
  const issued = await ann.caller.post('/organizations/current/api-keys', { name: 'all', environment: 'LIVE', scopes: ['*:manage'] })
  program = new Caller(on, { authorization: `Bearer ${issued.json().secret}` })
  document = (await new Caller(on).get('/openapi.json')).json()
  before = await everythingOf(zoe.caller)
})
afterAll(() => on[Symbol.asyncDispose]())

/** Made by its service: what is sealed in a row of the factory no key has sealed. */
function readerOf({ organization }: SignedUp): Promise<string> {
  return on.daybook.transact({ tenant: organization, actor: systemActor('contract') }, async em => {
    await importSubscribers(em, [{ email: 'reader@acme.example', source: 'contract' }])
    return (await em.findOneOrFail(NewsletterSubscriber, { email: 'reader@acme.example' })).id
  })
}

async function accessRowsOf({ caller }: SignedUp, name: string): Promise<Record<string, string>> {
  const role = await caller.post('/organizations/current/roles', { key: 'OURS', name })
  const invitation = await caller.post('/organizations/current/invitations', {
    email: `${name}.guest@example.com`,
    role: await roleIdOf(caller, 'VIEWER'),
  })
  const key = await caller.post('/organizations/current/api-keys', { name, environment: 'LIVE', scopes: ['role:read'] })
  const members = await caller.get('/organizations/current/members')
  const events = await caller.get('/organizations/current/events?limit=1')
  return {
    roles: role.json().id,
    invitations: invitation.json().id,
    'api-keys': key.json().apiKey.id,
    members: members.json().items[0].id,
    events: events.json().items[0].id,
  }
}

async function everythingOf(caller: Caller): Promise<string> {
  const answers: string[] = []
  for (const path of ['', ...Object.keys(ground.foreign).map(name => `/${name}?limit=200`)])
    answers.push((await caller.get(`/organizations/current${path}`)).body)
  return answers.join('\n')
}

describe('whatever is sent to any operation', () => {
  test('the other tenant’s rows hold the marker wherever they may', () => {
    expect(planted.marked).toBeGreaterThan(120)
    expect(before.split(marker).length).toBeGreaterThan(120)
  })

  test(
    'is answered as the operation is described, never by a failure, and tells nothing of another tenant',
    { timeout: 6_000_000 },
    async () => {
      const failures: string[] = []
      let answered = 0
      const done = new Set<Operation>()
      for (const [index, operation] of inSafeOrder(operationsIn(document)).entries()) {
        const property = fc.asyncProperty(requestTo(operation, ground), async request => {
          answered++
          const { status, complaint } = await answerTo(operation, request)
          if (status < 400) done.add(operation)
          if (complaint) throw new Error(complaint)
        })
        const { failed, counterexample, errorInstance } = await fc.check(property, {
          numRuns,
          seed: seed + index,
          endOnFailure: true,
          unbiased: true,
        })
        if (failed)
          failures.push(
            `${operation.method} ${operation.path} ${String(errorInstance)}\n  ${JSON.stringify(counterexample).slice(0, 1_500)}`,
          )
      }
      expect(failures, `with the seed ${seed}`).toEqual([])
      expect(answered).toBeGreaterThan(450 * numRuns)
      // What is refused for its shape says little about the rest.
      expect(done.size).toBeGreaterThan(200)
      expect(await everythingOf(zoe.caller)).toBe(before)
    },
  )
})

/** What reads comes first, what deletes last. Live events have no end: they have tests of their own. */
function inSafeOrder(operations: readonly Operation[]): Operation[] {
  const order = ['GET', 'PATCH', 'POST', 'DELETE']
  return operations
    .filter(({ path }) => !path.endsWith('/events/live'))
    .toSorted((a, b) => order.indexOf(a.method) - order.indexOf(b.method))
}

interface Answered {
  readonly status: number
  readonly complaint: string | undefined
}

async function answerTo(operation: Operation, { url, isForeign, asProgram, ...request }: Request): Promise<Answered> {
  const caller = asProgram ? program : ann.caller
  const answer = await caller.call(operation.method, url, request)
  const { statusCode: status, headers, body } = answer
  // Somebody who has signed out, or has no password any more, comes back.
  if (status === 401 && !asProgram) await ann.caller.signIn('ann@acme.example')
  if (body.includes(marker) || JSON.stringify(headers).includes(marker)) return { status, complaint: 'told something of another tenant' }
  // That a key is no person, or that a form from elsewhere is refused, is said before anything is looked up.
  const isTold = status === 403 && !/http\.(person_required|cross_site)/.test(body)
  if (isForeign && (status < 400 || isTold)) return { status, complaint: `answered ${status} to what belongs to others` }
  const complaint = complaintAbout(answer, operation, document)
  return { status, complaint: complaint && `${complaint}${whyFailed(String(headers['x-request-id']))}` }
}

/** What the host's own log says about it. */
function whyFailed(requestId: string): string {
  const lines = on.log.filter(line => line.includes(requestId)).map(line => JSON.parse(line) as { err?: object })
  const err = lines.map(line => line.err).find(Boolean)
  return err ? ` because of ${JSON.stringify(err).slice(0, 700)}` : ''
}
