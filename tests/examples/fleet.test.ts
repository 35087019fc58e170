import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { systemActor } from '../../src/context/index.ts'
import { JobRun } from '../../src/entities.ts'
import { openDaybook } from '../../src/open-daybook.ts'

const run = promisify(execFile)
const password = 'a long and private sentence'
let data: string
let server: ChildProcess
let address: string

const environment = () => ({
  PATH: process.env.PATH,
  NODE_OPTIONS: '--conditions=daybook-source',
  DB_LOG_QUERIES: 'off',
  DAYBOOK_DATA_DIR: data,
  PORT: '0',
})

/** As its page says, on a database of its own. */
beforeAll(async () => {
  data = await mkdtemp(join(tmpdir(), 'daybook-fleet-'))
  server = spawn(process.execPath, ['examples/fleet/server.ts'], { env: environment(), stdio: ['ignore', 'pipe', 'inherit'] })
  for await (const line of createInterface({ input: server.stdout! })) {
    address = /http:\S+/.exec(line)?.[0] ?? ''
    if (address) break
  }
})
afterAll(async () => {
  await stop()
  await rm(data, { recursive: true, force: true })
})

async function stop(): Promise<void> {
  if (server.exitCode !== null) return
  server.kill()
  await once(server, 'exit')
}

interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly body: Record<string, unknown> & { readonly items: Record<string, unknown>[] }
}

type Call = (method: string, path: string, body?: object) => Promise<Answer>

/** Somebody with an organization of their own, signed in. */
async function signUp(email: string): Promise<Call> {
  const as =
    (cookie: string): Call =>
    async (method, path, body) => {
      const headers = { cookie, 'if-match': '*', ...(method !== 'GET' && { 'content-type': 'application/json' }) }
      const answer = await fetch(address + path, { method, headers, ...(body && { body: JSON.stringify(body) }) })
      const text = await answer.text()
      return { status: answer.status, headers: answer.headers, body: text ? JSON.parse(text) : {} }
    }
  const nobody = as('')
  await nobody('POST', '/api/auth/sign-up', { email, password, organization: { name: email } })
  const { headers } = await nobody('POST', '/api/auth/sign-in', { email, password })
  return as(headers.get('set-cookie')!.split(';', 1)[0]!)
}

test('the example does what its page says: made, acted upon, audited, isolated, described', async () => {
  const [ann, zoe] = [await signUp('ann@acme.example'), await signUp('zoe@zenith.example')]
  const vehicles = '/api/organizations/current/vehicles'
  const made = await ann('POST', vehicles, { plate: 'MH 12 AB', model: 'Van' })
  expect([made.status, made.body.status]).toEqual([201, 'IN_SERVICE'])
  const van = made.headers.get('location')!
  expect((await ann('POST', vehicles, { plate: 'no plate', model: 'Van' })).body.code).toBe('http.invalid_request')
  expect((await ann('POST', vehicles, { plate: 'MH 12 AB', model: 'Van' })).body.code).toBe('http.conflict')

  const inspected = await ann('POST', `${van}/inspect`, { passed: false, notes: 'The brakes are worn.' })
  expect([inspected.status, inspected.body.status]).toEqual([200, 'GROUNDED'])
  const repairs = await ann('GET', '/api/organizations/current/tasks')
  expect(repairs.body.items).toMatchObject([{ title: 'Repair MH 12 AB', priority: 'HIGH' }])
  const inspections = await ann('GET', `/api/organizations/current/inspections?vehicle=${String(made.body.id)}&populate=repair`)
  expect(inspections.body.items).toMatchObject([{ passed: false, repair: { title: 'Repair MH 12 AB' } }])
  expect((await ann('GET', '/fleet/overview')).body).toEqual({ onTheRoad: 0, grounded: 1, neverInspected: 0 })

  const past = (await ann('GET', `${van}/history`)).body.items as { type: string; recordedAt: string; actor: { type: string } }[]
  expect(past.map(({ type, actor }) => [type, actor.type])).toEqual([
    ['vehicle.updated', 'user'],
    ['vehicle.created', 'user'],
  ])
  expect((await ann('GET', `${van}?asOf=${past[1]!.recordedAt}`)).body.status).toBe('IN_SERVICE')

  await ann('POST', `${van}/sell`)
  const late = await ann('POST', `${van}/inspect`, { passed: true, notes: 'As new.' })
  expect([late.status, late.body.code]).toEqual([409, 'fleet.vehicle_sold'])

  for (const [method, path] of [
    ['GET', van],
    ['GET', `${van}/history`],
    ['PATCH', van],
    ['POST', `${van}/inspect`],
    ['GET', `/api/organizations/current/vehicles/${String(made.body.id)}`],
  ] as const) {
    const body = method === 'PATCH' ? { model: 'Mine' } : method === 'POST' ? { passed: true, notes: 'Mine.' } : undefined
    expect([method, path, (await zoe(method, path, body)).status]).toEqual([method, path, 404])
  }
  expect((await zoe('GET', vehicles)).body.items).toEqual([])
  expect((await zoe('GET', '/fleet/overview')).body).toEqual({ onTheRoad: 0, grounded: 0, neverInspected: 0 })

  const { paths } = (await ann('GET', '/api/openapi.json')).body as unknown as { paths: Record<string, Record<string, unknown>> }
  const described = Object.keys(paths).map(path => path.split('/')[4] ?? '')
  expect(paths['/api/organizations/{organization}/vehicles/{id}/inspect']?.post).toMatchObject({
    operationId: expect.stringContaining('Inspect') as string,
  })
  expect([...new Set(described)].toSorted()).toEqual(expect.arrayContaining(['inspections', 'tasks', 'vehicles']))
  expect(described.filter(name => ['projects', 'members', 'subscriptions'].includes(name))).toEqual([])
  expect(await (await fetch(address)).text()).toContain('A fleet')
})

test('it does the work that nobody asks for, and ends well', async () => {
  await stop()
  expect(server.exitCode).toBe(0)
  const left = await openDaybook({ dataDirectory: data, logQueries: false })
  try {
    const em = await left.operatorScope({ kind: 'operator', actor: systemActor('test'), reason: 'to see what was done' })
    const [row] = await em.execute<{ reached: string }[]>(`select reached from audit_subscription where name = 'reactions'`)
    expect(Number(row!.reached)).toBeGreaterThan(0)
    expect(await em.count(JobRun)).toBeGreaterThan(0)
  } finally {
    await left.close()
  }
})

test('its migration brings all that its entities declare, and goes back without a trace', async () => {
  await stop()
  const mikroOrm = async (...command: string[]) =>
    (
      await run(process.execPath, ['node_modules/@mikro-orm/cli/cli.js', ...command, '--config', 'examples/fleet/mikro-orm.config.ts'], {
        env: environment(),
      })
    ).stdout
  expect(await mikroOrm('migration:check')).toContain('No changes required')
  expect(await mikroOrm('migration:down')).toContain('down')
  expect(await mikroOrm('migration:up')).toContain('Applied')
  expect(await mikroOrm('migration:check')).toContain('No changes required')
})

test('its page names every file, and what it says to run is what runs here', async () => {
  const page = await readFile('examples/fleet/README.md', 'utf8')
  const links = [...page.matchAll(/\]\(([^)#]+)\)/g)].map(([, target]) => target!)
  expect(links.length).toBeGreaterThan(4)
  for (const link of links) expect(existsSync(join('examples/fleet', link)), link).toBe(true)
  const { scripts } = JSON.parse(await readFile('package.json', 'utf8')) as { scripts: Record<string, string> }
  expect(page).toContain('npm run example')
  expect(scripts.example).toBe('node --conditions=daybook-source examples/fleet/server.ts')
})
