import { context, propagation, SpanStatusCode, type TextMapPropagator, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { BasicTracerProvider, InMemorySpanExporter, type ReadableSpan, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { userActor } from '../../src/context/index.ts'
import { AuditEvent } from '../../src/audit/index.ts'
import { type Job, runJob } from '../../src/jobs/index.ts'
import { Caller, openTestHost, type SignedUp, signUp, type TestHost } from './test-host.ts'

const exporter = new InMemorySpanExporter()
const traceId = '0af7651916cd43dd8448eb211c80319c'
const asUuid = '0af76519-16cd-43dd-8448-eb211c80319c'
const callersSpan = 'b7ad6b7169203331'

/** As much of W3C Trace Context as an SDK has. */
const traceContext: TextMapPropagator = {
  inject: () => {},
  fields: () => ['traceparent'],
  extract(parent, carrier, getter) {
    const [, id, spanId, flags] = String(getter.get(carrier, 'traceparent') ?? '').split('-')
    return id && spanId ? trace.setSpanContext(parent, { traceId: id, spanId, traceFlags: Number(flags), isRemote: true }) : parent
  },
}

let on: TestHost
let ann: SignedUp

beforeAll(async () => {
  trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }))
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
  propagation.setGlobalPropagator(traceContext)
  on = await openTestHost()
  ann = await signUp(on, 'ann@acme.example', 'Acme')
  exporter.reset()
})
afterEach(() => exporter.reset())
afterAll(async () => {
  await on[Symbol.asyncDispose]()
  for (const api of [trace, context, propagation]) api.disable()
})

const spans = () => exporter.getFinishedSpans()
const named = (name: string) => spans().filter(span => span.name === name)
const parentOf = ({ parentSpanContext }: ReadableSpan) => parentSpanContext?.spanId

async function correlationOf(task: string): Promise<string | null | undefined> {
  const scope = { tenant: ann.organization, actor: userActor(ann.user) }
  const event = await on.daybook.transact(scope, em => em.findOneOrFail(AuditEvent, { entityId: task, type: 'task.created' }))
  return event.correlationId
}

test('a request is a span below its caller’s, its transactions are spans below it, and its events tell the same trace', async () => {
  const headers = { traceparent: `00-${traceId}-${callersSpan}-01` }
  const answer = await ann.caller.call('POST', '/organizations/current/tasks', { payload: { title: 'Mend' }, headers })
  const [request] = named('POST /organizations/:organization/tasks')
  expect(request!.attributes).toMatchObject({
    'http.request.method': 'POST',
    'http.route': '/organizations/:organization/tasks',
    'http.response.status_code': 201,
    'daybook.request_id': answer.headers['x-request-id'],
  })
  expect([request!.spanContext().traceId, parentOf(request!)]).toEqual([traceId, callersSpan])
  const [session, work, ...others] = named('daybook.transaction')
  expect(others).toEqual([])
  expect([session, work].map(span => [parentOf(span!), span!.attributes['daybook.scope']])).toEqual([
    [request!.spanContext().spanId, 'identity'],
    [request!.spanContext().spanId, 'tenant'],
  ])
  expect(work!.attributes['daybook.events']).toBeGreaterThan(0)
  expect(await correlationOf(answer.json<{ id: string }>().id)).toBe(asUuid)
})

test('without a caller’s trace the events tell the request’s own', async () => {
  const { id } = (await ann.caller.post('/organizations/current/tasks', { title: 'Mend' })).json<{ id: string }>()
  const [request] = named('POST /organizations/:organization/tasks')
  expect(parentOf(request!)).toBeUndefined()
  expect((await correlationOf(id))?.replaceAll('-', '')).toBe(request!.spanContext().traceId)
})

test('requests at once keep their traces apart, before their bodies are read and after', async () => {
  // A key that is used for the first time is looked up, and its use noted, before the body is read.
  const programs: Caller[] = []
  for (let each = 0; each < 8; each++) {
    const issued = await ann.caller.post('/organizations/current/api-keys', { name: 'k', environment: 'TEST', scopes: ['task:create'] })
    programs.push(new Caller(on, { authorization: `Bearer ${issued.json<{ secret: string }>().secret}` }))
  }
  const ids = Array.from({ length: 8 }, (_, each) => `0af7651916cd43dd8448eb211c80310${each}`)
  await Promise.all(
    ids.map((id, each) =>
      programs[each]!.call('POST', '/organizations/current/tasks', {
        payload: { title: 'Mend' },
        headers: { traceparent: `00-${id}-${callersSpan}-01` },
      }),
    ),
  )
  for (const id of ids) {
    const own = spans().filter(span => span.spanContext().traceId === id)
    const [request] = own.filter(({ name }) => name.startsWith('POST'))
    const below = own.filter(({ name }) => name === 'daybook.transaction')
    expect([below.length, new Set(below.map(parentOf))]).toEqual([3, new Set([request!.spanContext().spanId])])
  }
})

test('a failure is told by its name, and neither addresses, queries, statements nor values are in any span', async () => {
  const scope = { tenant: ann.organization, actor: userActor(ann.user) }
  await expect(on.daybook.transact(scope, em => em.execute(`select 'hunter2secret'::int`))).rejects.toThrow()
  await ann.caller.get(`/organizations/current/tasks/${ann.user}?fields=title&token=hunter2secret`)
  await ann.caller.get('/hunter2secret')
  const [failed] = named('daybook.transaction')
  expect(failed!.status.code).toBe(SpanStatusCode.ERROR)
  expect(failed!.attributes['error.type']).toBe('22P02')
  expect(spans().map(({ name }) => name)).toContain('GET unmatched')
  const told = spans().map(({ name, attributes, events, status }) => ({ name, attributes, events, status }))
  expect(JSON.stringify(told)).not.toContain('hunter2secret')
  expect(JSON.stringify(told)).not.toContain(ann.user)
})

test('a run of a job is a span of its own with its transactions below it, and what it does for a tenant tells its trace', async () => {
  let seen: string | undefined
  const job: Job = {
    name: 'look-around',
    everyMs: 1_000,
    forTenant: async em => {
      const scope = em.boundScope
      if (scope?.kind === 'tenant' && scope.tenantId === ann.organization) seen = scope.correlationId
      return 0
    },
  }
  await runJob(on.daybook, job)
  const [run] = named('daybook.job')
  expect(run!.attributes).toMatchObject({ 'daybook.job': 'look-around', 'daybook.status': 'OK', 'daybook.processed': 0 })
  const below = named('daybook.transaction')
  expect(below.length).toBeGreaterThan(2)
  expect(new Set(below.map(parentOf))).toEqual(new Set([run!.spanContext().spanId]))
  expect(seen?.replaceAll('-', '')).toBe(run!.spanContext().traceId)
})
