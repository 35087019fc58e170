import autocannon from 'autocannon'
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { userActor } from '../src/context/index.ts'
import { issueApiKey, registerOrganization } from '../src/domain/access/index.ts'
import { Project } from '../src/domain/quality/index.ts'
import { newId } from '../src/kernel/id.ts'
import type { Ground } from './ground.ts'
import { type Figure, median, quantile } from './rounds.ts'

const connections = 32
const secondsPerRun = 2

interface Question {
  readonly name: string
  readonly target: number
  readonly path: string
  readonly method?: 'GET' | 'POST'
}

/**
 * What the host answers in a second, against a bare Fastify route over hand-written `pg`: the one authenticates, isolates, checks permissions
 * and audits, the other does nothing of it. Each host is a process of its own, and they are asked in turn.
 */
export async function httpFigures(ground: Ground, rounds: number): Promise<Figure[]> {
  const { tenant, key, project } = await populate(ground)
  const hosts = await Promise.all([start('bare', ground.urls.administrator, ground), start('daybook', ground.urls.app, ground)])
  const path = `/organizations/${tenant}/projects`
  const questions: Question[] = [
    { name: 'http: GET of one row', target: 0.45, path: `${path}/${project}` },
    { name: 'http: list of 50', target: 0.5, path },
    { name: 'http: POST', target: 0.5, path, method: 'POST' },
  ]
  try {
    const figures: Figure[] = []
    for (const question of questions) figures.push(await compareHosts(hosts, key, question, rounds))
    return figures
  } finally {
    for (const { child } of hosts) child.disconnect()
  }
}

/**
 * One organization with projects, twice: the bare host has them in a table without policies, guards and triggers. In Daybook's own the database
 * would log what it inserts.
 */
async function populate({ daybook, administer }: Ground): Promise<{ tenant: string; key: string; project: string }> {
  const { user, organization } = await registerOrganization(daybook, {
    email: `${newId()}@example.com`,
    password: 'a long and private sentence',
    organization: { name: 'Bench' },
  })
  const populated = await daybook.transact({ tenant: organization.id, actor: userActor(user) }, async em => {
    const made = Array.from({ length: 200 }, (_none, index) => em.create(Project, { name: `Project ${index}`, slug: `project-${index}` }))
    const { secret } = await issueApiKey(em, { name: 'Bench', environment: 'TEST', scopes: ['project:read', 'project:create'] })
    return { tenant: organization.id, key: secret, project: made[100]!.id }
  })
  await administer(
    'create table plain_project (like project including all)',
    'alter table plain_project add foreign key (tenant_id) references organization',
    'insert into plain_project select * from project',
  )
  return populated
}

interface Host {
  readonly child: ChildProcess
  readonly port: number
}

async function start(kind: 'bare' | 'daybook', databaseUrl: string, { masterKey }: Ground): Promise<Host> {
  const env = { ...process.env, DAYBOOK_MASTER_KEY: masterKey }
  const child = fork(fileURLToPath(new URL('http-host.ts', import.meta.url)), [kind, databaseUrl], { env })
  const failed = once(child, 'exit').then(() => Promise.reject(new Error(`The ${kind} host didn’t start.`)))
  const [port] = (await Promise.race([once(child, 'message'), failed])) as [number]
  failed.catch(() => {})
  return { child, port }
}

async function compareHosts(hosts: readonly Host[], key: string, question: Question, rounds: number): Promise<Figure> {
  for (const { port } of hosts) await throughput(port, key, question)
  const rates: [number[], number[]] = [[], []]
  for (let round = 0; round < rounds; round++)
    for (const [index, { port }] of hosts.entries()) rates[index]!.push(await throughput(port, key, question))
  const ratios = rates[1].map((rate, round) => rate / rates[0][round]!)
  return {
    name: question.name,
    unit: 'per second',
    stock: median(rates[0]),
    daybook: median(rates[1]),
    value: median(ratios),
    target: question.target,
    isAtLeast: true,
    spread: [quantile(ratios, 0.25), quantile(ratios, 0.75)],
  }
}

let made = 0

const newProject = () => JSON.stringify({ name: 'A project of the bench', slug: `made-${process.pid}-${made++}` })

async function throughput(port: number, key: string, { name, path, method = 'GET' }: Question): Promise<number> {
  const result = await autocannon({
    url: `http://127.0.0.1:${port}${path}`,
    connections,
    duration: secondsPerRun,
    method,
    headers: { authorization: `Bearer ${key}`, ...(method === 'POST' && { 'content-type': 'application/json' }) },
    ...(method === 'POST' && { requests: [{ setupRequest: request => ({ ...request, body: newProject() }) }] }),
  })
  if (result.non2xx > 0 || result.errors > 0)
    throw new Error(`${name}: ${JSON.stringify(result.statusCodeStats)} and ${result.errors} errors on port ${port}.`)
  return result['2xx'] / result.duration
}
