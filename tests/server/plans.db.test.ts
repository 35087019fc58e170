import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { course } from '../../seeders/demo/demo-unit.ts'
import { demoOrganizations } from '../../seeders/demo-data.ts'
import { onePassword } from '../../seeders/demo-passwords.ts'
import { seedDemo } from '../../seeders/seed-demo.ts'
import { jobsWith, runJob } from '../../src/jobs/index.ts'
import { newId } from '../../src/kernel/id.ts'
import { openTestDatabase, type TestDatabase } from '../../src/testing/index.ts'
import { CalledFunctions } from './called-functions.ts'
import { crowdOf } from './crowd.ts'
import { aboutBusiness } from './asked/business.ts'
import { aboutDocuments } from './asked/documents.ts'
import { aboutEvents } from './asked/events.ts'
import { aboutTheHost } from './asked/host.ts'
import { aboutPeople } from './asked/people.ts'
import { aboutTheLog } from './asked/log.ts'
import { aboutWork } from './asked/work.ts'
import { World } from './asked/world.ts'
import { readWhole, type Watched, type WatchedPlan, watchPlans } from './watched-plans.ts'
import * as services from '../../src/entities.ts'

let database: TestDatabase
let watched: Watched
let growing: ReadonlySet<string>
let world: World
const password = 'the password of the demo'
const called = new CalledFunctions()

/** A tenant with up to 25,000 rows in a table among 49 that have 20, or by night 2,700, as the demo's first organization, whose ids are known. */
beforeAll(async () => {
  database = await openTestDatabase()
  await seedDemo(database.daybook, { areas: [], passwords: onePassword(password), print: () => {} })
  const [tenant, owner] = await course(demoOrganizations[0]!.slug, () => Promise.resolve([newId(), newId()] as const))
  const crowd = crowdOf(database.daybook.orm.getMetadata(), tenant)
  const administrator = new pg.Client({ connectionString: database.urls!.administrator })
  await administrator.connect()
  for (const statement of crowd.statements) await administrator.query(statement)
  const partitions = `select c.relname as name from pg_class c join pg_inherits i on i.inhrelid = c.oid where c.relkind = 'r' and c.reltuples > 1000`
  const { rows } = await administrator.query<{ name: string }>(partitions)
  growing = new Set([...crowd.growing, ...rows.map(({ name }) => name)])
  await administrator.end()
  watched = await watchPlans(database.urls!)
  world = new World(watched.daybook, { tenant, owner, password })
  await called.start()
}, 600_000)
afterAll(async () => {
  await watched[Symbol.asyncDispose]()
  await database[Symbol.asyncDispose]()
})

/** What reads a whole table that grows, by statement. What a seeder asks in order to know its own rows again isn't a service's. */
function wholeReads(plans: readonly WatchedPlan[]): string[] {
  const asked = plans.filter(({ query }) => !query.includes('/* seeder */'))
  const found = asked.flatMap(({ query, plan }) => {
    const tables = readWhole(plan).filter(table => growing.has(table))
    return tables.length > 0
      ? [
          `${tables.join(', ')}: ${query
            .replace(/^begin;.*?; (?=select|insert|update|delete|with)/s, '')
            .replaceAll(/\s+/g, ' ')
            .slice(0, 500)}`,
        ]
      : []
  })
  return [...new Set(found)]
}

test('making something of everything reads no table as a whole', async () => {
  const { report } = await seedDemo(watched.daybook, { print: () => {} })
  expect(report.counts.skipped).toBe(0)
  const plans = watched.taken()
  expect(plans.length).toBeGreaterThan(500)
  expect(wholeReads(plans)).toEqual([])
})

test('no job reads a table as a whole in order to find what is due', async () => {
  const jobs = jobsWith({
    actions: {},
    post: () => Promise.resolve({ status: 200, body: '' }),
    publisher: { publish: () => Promise.resolve() },
    newsletter: { mailer: { send: () => Promise.resolve() }, unsubscribeUrl: token => token },
  })
  const at = new Date('2026-01-08T08:00:00Z')
  const failed: string[] = []
  for (const job of jobs) if ((await runJob(watched.daybook, job, { at })).status !== 'OK') failed.push(job.name)
  // These have found what is due, and then opened secrets of the crowd's, which are none.
  expect(failed).toEqual(['run-automations', 'deliver-webhooks', 'send-newsletters'])
  const plans = watched.taken()
  expect(plans.length).toBeGreaterThan(100)
  expect(wholeReads(plans)).toEqual([])
})

const calls = { ...aboutPeople, ...aboutWork, ...aboutEvents, ...aboutBusiness, ...aboutDocuments, ...aboutTheLog, ...aboutTheHost }

test.each(Object.entries(calls))('%s: no table is read as a whole', async (_name, call) => {
  watched.taken()
  await call(world)
  expect(wholeReads(watched.taken())).toEqual([])
})

test('every service was asked', async () => {
  const names = Object.entries(services)
    .filter(([, value]) => typeof value === 'function' && /^(async )?function \w+\((em|daybook|events)\b/.test(value.toString()))
    .map(([name]) => name)
  expect(names.length).toBeGreaterThan(100)
  const ran = await called.names()
  expect(names.filter(name => !ran.has(name))).toEqual([])
})
