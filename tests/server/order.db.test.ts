import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { AuditEvent } from '../../src/audit/index.ts'
import { systemActor } from '../../src/context/index.ts'
import { newId } from '../../src/kernel/id.ts'
import { asOf, subscribe } from '../../src/readers/index.ts'
import { openTestDatabase, type TestDatabase } from '../../src/testing/index.ts'
import { entities, migrations, Tag } from '../audit/model.ts'

/** Where transactions overlap, which they only do on a server. */
let database: TestDatabase
const scopeOf = (tenant: string) => ({ tenant, actor: systemActor('follower') })

beforeAll(async () => {
  database = await openTestDatabase({ entities, migrations, poolMax: 20 })
})
afterAll(() => database.daybook.close())

const connect = async (tenant: string) => {
  const client = new pg.Client({ connectionString: database.urls!.app })
  await client.connect()
  const begin = () => client.query(`begin; select set_config('daybook.tenant_id', '${tenant}', true)`)
  const insert = (label: string) =>
    client.query(`insert into tag (id, tenant_id, label) values (gen_random_uuid(), $1, $2)`, [tenant, label])
  return { client, begin, insert }
}

test('of numbers alone loses what commits late; a subscription waits for it', async () => {
  const tenant = newId()
  const [slow, fast] = [await connect(tenant), await connect(tenant)]
  const seen: string[] = []
  await using subscription = subscribe(
    database.daybook,
    'late',
    async events => void seen.push(...events.map(({ after }) => after!.label as string)),
    { scope: scopeOf(tenant), pollMs: 5 },
  )
  await slow.begin()
  await slow.insert('early number, late commit')
  await fast.begin()
  await fast.insert('late number, early commit')
  await fast.client.query('commit')
  const em = database.daybook.scope(scopeOf(tenant))
  const naive = await em.find(AuditEvent, { tenantId: tenant }, { orderBy: { seq: 'asc' } })
  await sleep(100)
  expect(seen).toEqual([])
  await slow.client.query('commit')
  const missed = await em.find(AuditEvent, { tenantId: tenant, seq: { $gt: naive.at(-1)!.seq } })
  expect(missed).toEqual([])
  await subscription.caughtUp()
  expect(seen).toEqual(['early number, late commit', 'late number, early commit'])
  await Promise.all([slow.client.end(), fast.client.end()])
})

test('of transaction ids puts an effect before its cause; a subscription doesn’t', async () => {
  const tenant = newId()
  const [answering, asking] = [await connect(tenant), await connect(tenant)]
  await answering.begin()
  await answering.client.query('select pg_current_xact_id()')
  await asking.begin()
  await asking.insert('cause')
  await asking.client.query('commit')
  const { rows } = await answering.client.query('select label from tag')
  await answering.insert(`effect of ${(rows[0] as { label: string }).label}`)
  await answering.client.query('commit')
  const labels = async (order: string) => {
    const found = await database.daybook.transact(scopeOf(tenant), em =>
      em.execute<{ label: string }[]>(
        `select after->>'label' as label from audit_event where tenant_id = ? and xact < pg_snapshot_xmin(pg_current_snapshot()) order by ${order}`,
        [tenant],
      ),
    )
    return found.map(({ label }) => label)
  }
  // Whoever has a transaction open in any database of the server holds this order back, and other tests do.
  await expect.poll(() => labels('xact, seq'), { timeout: 30_000 }).toEqual(['effect of cause', 'cause'])
  const seen: string[] = []
  await using subscription = subscribe(
    database.daybook,
    'causal',
    async events => void seen.push(...events.map(({ after }) => after!.label as string)),
    { scope: scopeOf(tenant), pollMs: 5 },
  )
  await subscription.caughtUp()
  expect(seen).toEqual(['cause', 'effect of cause'])
  await Promise.all([answering.client.end(), asking.client.end()])
})

test(
  'holds for eight writers, some of whom answer one another or give up, and followers that die and come back',
  { timeout: 120_000 },
  async () => {
    const tenant = newId()
    const scope = scopeOf(tenant)
    const committed = new Set<string>()
    const writer = async (number: number) => {
      for (let turn = 0; turn < 40; turn++) {
        const labels: string[] = []
        const work = database.daybook.transact(scope, async em => {
          for (let step = 0; step <= Math.random() * 4; step++) {
            const [cause] = await em.execute<{ label: string }[]>(
              `select split_part(label, '<', 1) as label from tag order by random() limit 1`,
            )
            const label = `${number}.${turn}.${step}<${cause?.label ?? ''}`
            await em.execute(`insert into tag (id, tenant_id, label) values (gen_random_uuid(), ?, ?)`, [tenant, label])
            labels.push(label)
            await sleep(Math.random() * 8)
          }
          if (Math.random() < 0.2) throw new Error('gives up')
        })
        await work.then(() => labels.forEach(label => committed.add(label))).catch(() => undefined)
      }
    }
    const inTransaction: string[] = []
    const follow = () =>
      subscribe(
        database.daybook,
        'many',
        async events => {
          const labels = events.map(({ after }) => after!.label as string)
          if (Math.random() < 0.2) throw new Error('dies in the middle')
          inTransaction.push(...labels)
        },
        { scope, pollMs: 5, batch: 1 + Math.floor(Math.random() * 30) },
      )
    let followers = [follow(), follow()]
    const writing = Promise.all(Array.from({ length: 8 }, (_writer, number) => writer(number)))
    while ((await Promise.race([writing.then(() => 'ended'), sleep(60)])) !== 'ended') {
      await followers[0]!.close()
      followers = [followers[1]!, follow()]
    }
    await writing
    await followers[0]!.caughtUp()
    await Promise.all(followers.map(follower => follower.close()))
    expect(inTransaction.toSorted()).toEqual([...committed].toSorted())
    const place = new Map(inTransaction.map((label, index) => [label.split('<')[0], index]))
    const outOfOrder = inTransaction.filter((label, index) => {
      const cause = label.split('<')[1]
      return cause && place.get(cause)! >= index
    })
    expect(outOfOrder).toEqual([])
  },
)

test('as of a moment, a transaction that had not ended then is not seen, although it had begun to write', async () => {
  const tenant = newId()
  const written = Promise.withResolvers<void>()
  const ending = Promise.withResolvers<void>()
  const long = database.daybook.transact(scopeOf(tenant), async em => {
    await em.execute(`insert into tag (id, tenant_id, label) values (?, ?, 'early')`, [newId(), tenant])
    written.resolve()
    await ending.promise
    await em.execute(`insert into tag (id, tenant_id, label) values (?, ?, 'late')`, [newId(), tenant])
  })
  await written.promise
  const em = database.daybook.scope(scopeOf(tenant))
  em.create(Tag, { label: 'between' })
  await em.flush()
  ending.resolve()
  await long
  const [event] = await em.find(AuditEvent, { type: 'tag.created', source: 'unit-of-work', tenantId: tenant })
  const labels = (await asOf(database.daybook.scope(scopeOf(tenant)), event!).find(Tag, {})).map(({ label }) => label)
  expect(labels).toEqual(['between'])
})
