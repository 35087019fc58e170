import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { systemActor } from '../../src/context/index.ts'
import { OutboxMessage, publish, relayMessages } from '../../src/entities.ts'
import { newId } from '../../src/kernel/id.ts'
import type { ScopedEntityManager } from '../../src/orm/index.ts'
import { openTestDatabase, type TestDatabase } from '../../src/testing/index.ts'
import { administer } from '../../src/testing/test-server.ts'

let database: TestDatabase
let tenant: string
beforeAll(async () => {
  database = await openTestDatabase({ poolMax: 10 })
  await ask(`create table received (place bigint generated always as identity, relay text, message uuid, key text, position bigint)`)
})
afterAll(() => database.daybook.close())
beforeEach(async () => {
  tenant = newId()
  await ask('truncate received')
})

interface Received {
  readonly relay: string
  readonly message: string
  readonly key: string
  readonly position: string
}

const ask = (sql: string) => administer(database.urls!.administrator, sql)
const received = () => ask('select relay, message, key, position from received order by place') as Promise<unknown> as Promise<Received[]>
const work = <T>(does: (em: ScopedEntityManager) => Promise<T>) => database.daybook.transact({ tenant, actor: systemActor('clerk') }, does)
const stored = () => work(em => em.find(OutboxMessage, {}, { orderBy: { position: 'asc' } }))

/** Some transactions at a time, a few of which give up. */
async function write(count: number, keys: number): Promise<string[]> {
  const written: string[] = []
  const writer = async (first: number) => {
    for (let n = first; n < count; n += 5) {
      const { id } = await work(async em => publish(em, 'numbers', { n }, { key: `key-${n % keys}` }))
      written.push(id)
      if (n % 10 > 0) continue
      const failing = work(async em => {
        publish(em, 'numbers', { n: -1 }, { key: `key-${n % keys}` })
        await em.flush()
        throw new Error('gives up')
      })
      await expect(failing).rejects.toThrow('gives up')
    }
  }
  await Promise.all([0, 1, 2, 3, 4].map(writer))
  return written
}

/** A process that is there, and begins when it is told to. */
async function startRelay(name: string, most = Infinity): Promise<ChildProcess> {
  const { app, administrator } = database.urls!
  const child = fork(join(import.meta.dirname, 'relay-until-killed.ts'), [app, administrator, tenant, name, String(most)])
  await once(child, 'message')
  return child
}

/** Keys whose messages came for the first time in another order than they were written. */
function disordered(rows: readonly Received[]): string[] {
  const firsts = rows.filter(({ message }, index) => rows.findIndex(row => row.message === message) === index)
  return [...Map.groupBy(firsts, ({ key }) => key)].flatMap(([key, own]) => {
    const positions = own.map(({ position }) => Number(position))
    return positions.every((position, index) => index === 0 || position > positions[index - 1]!) ? [] : [key]
  })
}

test('five processes relay a thousand messages: each goes out once, those of a key in order', { timeout: 120_000 }, async () => {
  const relays = await Promise.all([1, 2, 3, 4, 5].map(number => startRelay(`relay ${number}`)))
  const written = write(1_000, 40)
  for (const relay of relays) relay.send('begin')
  const ended = Promise.all(relays.map(relay => once(relay, 'exit')))
  const ids = await written
  await ended
  const rows = await received()
  expect(rows.map(({ message }) => message).toSorted()).toEqual(ids.toSorted())
  expect(disordered(rows)).toEqual([])
  expect(new Set(rows.map(({ relay }) => relay)).size).toBeGreaterThan(1)
  expect((await stored()).filter(({ status }) => status !== 'SENT')).toEqual([])
})

test('what a process had in hand when it was killed goes out when its time is over, in order', { timeout: 60_000 }, async () => {
  const ids = await write(200, 10)
  const doomed = await startRelay('doomed', 30)
  doomed.send('begin')
  await once(doomed, 'message')
  doomed.kill('SIGKILL')
  await once(doomed, 'exit')
  const before = await received()
  expect(before).toHaveLength(30)
  const publisher = {
    publish: ({ id, key, position }: { readonly id: string; readonly key: string; readonly position: number }) =>
      ask(`insert into received (relay, message, key, position) values ('heir', '${id}', '${key}', ${position})`),
  }
  const relay = (at: Date) => relayMessages({ publisher, transact: work }, at)
  expect(await relay(new Date())).toBe(0)
  const afterwards = new Date(Date.now() + 61_000)
  while ((await relay(afterwards)) > 0);
  const rows = await received()
  expect(new Set(rows.map(({ message }) => message))).toEqual(new Set(ids))
  expect(disordered(rows)).toEqual([])
  // What the dead one had sent and not recorded arrives twice, under its id.
  expect(rows).toHaveLength(230)
  expect((await stored()).filter(({ status }) => status !== 'SENT')).toEqual([])
})

test('what comes late from a process that lost its messages counts for nothing', async () => {
  const [id] = await write(1, 1)
  const { promise: asleep, resolve: wake } = Promise.withResolvers<undefined>()
  const published: string[] = []
  const { promise: isTaken, resolve: take } = Promise.withResolvers<undefined>()
  const slow = relayMessages(
    {
      publisher: {
        publish: async () => {
          take(undefined)
          await asleep
          throw new Error('too late')
        },
      },
      transact: work,
    },
    new Date(),
  )
  await isTaken
  const quick = { publish: ({ id: told }: { readonly id: string }) => Promise.resolve(published.push(told)) }
  expect(await relayMessages({ publisher: quick, transact: work }, new Date(Date.now() + 61_000))).toBe(1)
  wake(undefined)
  await slow
  expect(published).toEqual([id])
  expect(await stored()).toMatchObject([{ status: 'SENT', attempts: 1, error: null }])
})
