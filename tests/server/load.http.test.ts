import autocannon, { type Request, type Result } from 'autocannon'
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { userActor } from '../../src/context/index.ts'
import { issueApiKey, registerOrganization } from '../../src/domain/access/index.ts'
import { Project } from '../../src/domain/quality/index.ts'
import { newId } from '../../src/kernel/id.ts'
import { openTestDatabase, type TestDatabase } from '../../src/testing/index.ts'
import { administer } from '../../src/testing/test-server.ts'

/** A release is tried for longer: `DAYBOOK_LOAD_SECONDS=60`. */
const seconds = Number(process.env.DAYBOOK_LOAD_SECONDS ?? 6)
const connections = 64

let database: TestDatabase
let path: string
let authorization: string
let projects: string[]
const started: ChildProcess[] = []

beforeAll(async () => {
  database = await openTestDatabase()
  const { daybook } = database
  const organization = { name: 'Under load' }
  const made = await registerOrganization(daybook, { email: 'load@example.com', password: 'a long and private sentence', organization })
  path = `/organizations/${made.organization.id}`
  await daybook.transact({ tenant: made.organization.id, actor: userActor(made.user) }, async em => {
    projects = Array.from({ length: 200 }, (_none, n) => em.create(Project, { name: `Project ${n}`, slug: `project-${n}` }).id)
    const { secret } = await issueApiKey(em, { name: 'Load', environment: 'TEST', scopes: ['project:manage', 'audit-event:read'] })
    authorization = `Bearer ${secret}`
  })
})
afterAll(async () => {
  for (const child of started) child.kill('SIGKILL')
  await database[Symbol.asyncDispose]()
})

test(`${connections} connections that read and write leave nothing behind`, { timeout: (seconds + 60) * 1_000 }, async () => {
  const host = await start()
  await load(host.address, 3)
  const before = await host.heap()
  const rows = await countOf('project')
  const { errors, timeouts, statusCodeStats = {} } = await load(host.address, seconds)
  expect({ errors, timeouts, statuses: Object.keys(statusCodeStats) }).toEqual({ errors: 0, timeouts: 0, statuses: ['200', '201'] })
  await expect.poll(unfinished, { timeout: 10_000 }).toEqual([])
  expect(await eventsOf('project.created')).toBe(await countOf('project'))
  // What was cut off by the end of the load has been done all the same, one for each connection at the most.
  const created = (await countOf('project')) - rows
  const answered = statusCodeStats['201']?.count ?? 0
  expect(answered).toBeGreaterThan(10)
  expect(created).toBeGreaterThanOrEqual(answered)
  expect(created).toBeLessThanOrEqual(answered + connections)
  expect(await hostConnections()).toBeLessThanOrEqual(10)
  expect((await host.heap()) - before).toBeLessThan(30e6)
  await host.stop()
})

test('whatever a host had taken up when it was told to end is answered', { timeout: 60_000 }, async () => {
  const host = await start()
  const rows = await countOf('project')
  const answered = new Map<string, number>()
  const client = async () => {
    for (;;) {
      const id = newId()
      const response = await fetch(`${host.address}${path}/projects`, newProject(id)).catch(() => undefined)
      if (response?.status !== 201) return
      await response.json()
      answered.set(id, response.status)
    }
  }
  const clients = Array.from({ length: connections }, client)
  await expect.poll(() => answered.size, { timeout: 20_000 }).toBeGreaterThan(connections)
  await host.stop()
  await Promise.all(clients)
  expect(host.accepted.filter(id => !answered.has(id))).toEqual([])
  expect((await countOf('project')) - rows).toBe(answered.size)
})

interface Host {
  readonly address: string
  readonly accepted: string[]
  readonly heap: () => Promise<number>
  readonly stop: () => Promise<void>
}

async function start(): Promise<Host> {
  const child = fork(fileURLToPath(new URL('serve-under-load.ts', import.meta.url)), [database.urls!.app], { execArgv: ['--expose-gc'] })
  started.push(child)
  const accepted: string[] = []
  child.on('message', (message: { accepted?: string }) => message.accepted && accepted.push(message.accepted))
  const told = async <K extends string>(key: K) => {
    for (;;) {
      const [message] = (await once(child, 'message')) as [Record<K, unknown>]
      if (key in message) return message[key]
    }
  }
  const address = String(await told('address'))
  return {
    address,
    accepted,
    heap: () => {
      child.send('heap')
      return told('heap').then(Number)
    },
    stop: async () => {
      const exit = once(child, 'exit')
      child.kill('SIGTERM')
      expect((await exit)[0]).toBe(0)
    },
  }
}

/** Most of it reads, as most people do. */
function load(address: string, duration: number): Promise<Result> {
  const any = () => projects[Math.floor(Math.random() * projects.length)]!
  const at = (place: () => string): Request => ({ setupRequest: request => ({ ...request, path: path + place() }) })
  const changing = { 'content-type': 'application/json', 'if-match': '*' }
  return autocannon({
    url: address,
    connections,
    duration,
    timeout: 30,
    headers: { authorization },
    requests: [
      at(() => `/projects/${any()}`),
      at(() => '/projects'),
      { ...at(() => '/projects'), method: 'POST', setupRequest: request => ({ ...request, ...posted(newId()) }) },
      at(() => `/projects/${any()}/history`),
      at(() => '/projects?limit=10&fields=id,name'),
      {
        setupRequest: request => ({
          ...request,
          method: 'PATCH',
          path: `${path}/projects/${any()}`,
          headers: { ...request.headers, ...changing },
          body: JSON.stringify({ name: `Changed ${newId()}` }),
        }),
      },
      at(() => '/events?limit=20'),
    ],
  })
}

function posted(id: string) {
  const headers = { authorization, 'content-type': 'application/json', 'x-request-id': id }
  return { method: 'POST' as const, path: `${path}/projects`, headers, body: JSON.stringify({ name: 'One more', slug: `made-${id}` }) }
}

function newProject(id: string): RequestInit {
  const { method, headers, body } = posted(id)
  return { method, headers, body }
}

const asked = (sql: string) => administer(database.urls!.administrator, sql)
const countOf = async (table: string) => Number((await asked(`select count(*) as count from ${table}`))[0]!.count)
const eventsOf = async (type: string) => Number((await asked(`select count(*) as count from audit_event where type = '${type}'`))[0]!.count)

/** Transactions that somebody began and nobody ended. */
const unfinished = () =>
  asked(`select pid, state, query from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and state <> 'idle'`)

/** As the application's role, which only one connection of this test's own has. */
async function hostConnections(): Promise<number> {
  const [row] = await asked(`select count(*) as count from pg_stat_activity where datname = current_database() and usename = 'daybook_app'`)
  return Number(row!.count) - 1
}
