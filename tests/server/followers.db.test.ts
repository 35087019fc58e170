import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { systemActor } from '../../src/context/index.ts'
import { newId } from '../../src/kernel/id.ts'
import { subscribe } from '../../src/readers/index.ts'
import { openTestDatabase, type TestDatabase } from '../../src/testing/index.ts'
import { administer } from '../../src/testing/test-server.ts'
import { entities, migrations } from '../audit/model.ts'

/** What `order.db.test.ts` leaves open: the boundary that looks right and isn't, and followers that are killed as processes. */
let database: TestDatabase
const scopeOf = (tenant: string) => ({ tenant, actor: systemActor('follower') })

beforeAll(async () => {
  database = await openTestDatabase({ entities, migrations, poolMax: 20 })
  await administer(
    database.urls!.administrator,
    `create table followed (place bigint generated always as identity, label text not null)`,
    `grant select, insert on followed to daybook_app`,
  )
})
afterAll(() => database.daybook.close())

/** A transaction that takes its id when it begins, and its numbers when it inserts. */
async function open(tenant: string) {
  const client = new pg.Client({ connectionString: database.urls!.app })
  await client.connect()
  await client.query(`begin; select set_config('daybook.tenant_id', '${tenant}', true)`)
  await client.query('select pg_current_xact_id()')
  const insert = (label: string) =>
    client.query(`insert into tag (id, tenant_id, label) values (gen_random_uuid(), $1, $2)`, [tenant, label])
  const commit = () => client.query('commit').then(() => client.end())
  return { insert, commit }
}

/** The younger transaction writes first and is still running; the older one writes after it and has committed. */
async function gapOfYoungerTransaction(tenant: string) {
  const older = await open(tenant)
  const younger = await open(tenant)
  await younger.insert('first number, runs on')
  await older.insert('second number, committed')
  await older.commit()
  return younger
}

test('a gap that counts as settled once the oldest running transaction has reached the snapshot’s xmax is read past too early', async () => {
  const administrator = new pg.Client({ connectionString: database.urls!.administrator })
  await administrator.connect()
  const ask = async <T>(sql: string) => (await administrator.query<{ answer: T }>(sql)).rows[0]!.answer
  let tooEarly = false
  // Other databases of the cluster may end a younger transaction in between, which hides the mistake.
  for (let attempt = 0; attempt < 50 && !tooEarly; attempt++) {
    const tenant = newId()
    const running = await gapOfYoungerTransaction(tenant)
    const noted = await ask<string>('select pg_snapshot_xmax(pg_current_snapshot())::text as answer')
    tooEarly = await ask<boolean>(`select pg_snapshot_xmin(pg_current_snapshot()) >= '${noted}'::xid8 as answer`)
    await running.commit()
  }
  await administrator.end()
  expect(tooEarly).toBe(true)
})

test('a subscription waits for a younger transaction that wrote before an older one', async () => {
  const tenant = newId()
  const running = await gapOfYoungerTransaction(tenant)
  const seen: string[] = []
  const note = async (events: readonly { after: Record<string, unknown> | null }[]) =>
    void seen.push(...events.map(({ after }) => after!.label as string))
  await using subscription = subscribe(database.daybook, 'younger', note, { scope: scopeOf(tenant), pollMs: 5 })
  await sleep(150)
  expect(seen).toEqual([])
  await running.commit()
  await subscription.caughtUp()
  expect(seen).toEqual(['first number, runs on', 'second number, committed'])
})

test('events arrive in the order of their numbers when these have different lengths', async () => {
  const tenant = newId()
  const seen: number[] = []
  const client = await open(tenant)
  for (let index = 0; index < 120; index++) await client.insert(`tag ${index}`)
  await client.commit()
  await using subscription = subscribe(database.daybook, 'digits', async events => void seen.push(...events.map(({ seq }) => seq)), {
    scope: scopeOf(tenant),
    batch: 7,
    pollMs: 5,
  })
  await subscription.caughtUp()
  expect(seen).toHaveLength(120)
  expect(seen).toEqual(seen.toSorted((a, b) => a - b))
})

const kills = Number(process.env.DAYBOOK_CRASHES ?? 8)

test(
  `each event is written once, after its cause, by followers of which ${kills} are killed`,
  { timeout: kills * 10_000 + 60_000 },
  async () => {
    const tenant = newId()
    const committed = new Set<string>()
    const running = { writing: true }
    // Also when its time is over: on a database that is closed they would try for ever, and nothing else would have its turn.
    onTestFinished(() => void (running.writing = false))
    const writers = Promise.all(Array.from({ length: 8 }, (_writer, number) => write(tenant, number, committed, running)))
    const followers = [await follow(tenant), await follow(tenant)]
    for (let killed = 0; killed < kills; killed++) {
      await sleep(100 + Math.random() * 400)
      await kill(followers.shift()!)
      followers.push(await follow(tenant))
    }
    running.writing = false
    await writers
    const written = await waitFor(committed.size)
    await Promise.all(followers.map(kill))
    expect(written.toSorted()).toEqual([...committed].toSorted())
    const place = new Map(written.map((label, index) => [label.split('<')[0], index]))
    const early = written.filter((label, index) => (place.get(label.split('<')[1]) ?? -1) >= index)
    expect(early).toEqual([])
  },
)

/** Each event names one that it read before; some transactions give up. */
async function write(tenant: string, number: number, committed: Set<string>, running: { writing: boolean }): Promise<void> {
  for (let turn = 0; running.writing; turn++) {
    const labels: string[] = []
    const work = database.daybook.transact(scopeOf(tenant), async em => {
      const steps = 1 + Math.floor(Math.random() * 5)
      for (let step = 0; step < steps; step++) {
        const [cause] = await em.execute<{ label: string }[]>(`select split_part(label, '<', 1) as label from tag order by id desc limit 1`)
        const label = `${number}.${turn}.${step}<${cause?.label ?? ''}`
        await em.execute(`insert into tag (id, tenant_id, label) values (?, ?, ?)`, [newId(), tenant, label])
        labels.push(label)
        await sleep(Math.random() * 8)
      }
      if (Math.random() < 0.2) throw new Error('gives up')
    })
    await work.then(() => labels.forEach(label => committed.add(label))).catch(() => undefined)
  }
}

async function follow(tenant: string): Promise<ChildProcess> {
  const script = join(import.meta.dirname, 'follow-until-killed.ts')
  const child = fork(script, [database.urls!.app, tenant])
  await once(child, 'message')
  return child
}

async function kill(child: ChildProcess): Promise<void> {
  const gone = once(child, 'exit')
  child.kill('SIGKILL')
  await gone
}

async function waitFor(count: number): Promise<string[]> {
  for (let patience = 0; ; patience++) {
    const rows = await administer(database.urls!.administrator, 'select label from followed order by place')
    if (rows.length >= count || patience > 600) return rows.map(({ label }) => label as string)
    await sleep(50)
  }
}
