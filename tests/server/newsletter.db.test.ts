import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { systemActor } from '../../src/context/index.ts'
import { deliverIssues, importSubscribers, NewsletterDelivery, NewsletterIssue } from '../../src/entities.ts'
import { newId } from '../../src/kernel/id.ts'
import type { ScopedEntityManager } from '../../src/orm/index.ts'
import { openTestDatabase, type TestDatabase } from '../../src/testing/index.ts'

let database: TestDatabase
/** A connection for each of 1,200 mails takes longer than all else. */
let provider: pg.Pool
const tenant = newId()
beforeAll(async () => {
  database = await openTestDatabase({ poolMax: 10 })
  provider = new pg.Pool({ connectionString: database.urls!.administrator, max: 2 })
  await ask('create table mailed (place bigint generated always as identity, id uuid, address text)')
})
afterAll(async () => {
  await provider.end()
  await database.daybook.close()
})

const ask = async (sql: string, values: unknown[] = []) => (await provider.query<Record<string, unknown>>(sql, values)).rows
const countMailed = async () => Number((await ask('select count(*) as sent from mailed'))[0]!.sent)
const work = <T>(does: (em: ScopedEntityManager) => Promise<T>) => database.daybook.transact({ tenant, actor: systemActor('editor') }, does)

async function startSender(): Promise<ChildProcess> {
  const { app, administrator } = database.urls!
  const child = fork(join(import.meta.dirname, 'send-until-killed.ts'), [app, administrator, tenant])
  await once(child, 'message')
  return child
}

async function kill(child: ChildProcess): Promise<void> {
  const gone = once(child, 'exit')
  child.kill('SIGKILL')
  await gone
}

test('an issue goes to each subscriber once, though four processes send it and three are killed', { timeout: 180_000 }, async () => {
  const at = new Date()
  const everybody = Array.from({ length: 1_200 }, (_none, index) => `reader-${index}@example.com`)
  await work(em =>
    importSubscribers(
      em,
      everybody.map(email => ({ email, source: 'fair' })),
      at,
    ),
  )
  await work(async em => em.create(NewsletterIssue, { subject: 'News', body: 'Text' }).schedule(at, at))
  const senders = await Promise.all([startSender(), startSender(), startSender(), startSender()])
  for (const sender of senders) sender.send('go')
  for (const sender of senders.slice(0, 3)) {
    // So many mails later, and not so many milliseconds: how fast they are is the machine's affair.
    const enough = (await countMailed()) + 20 + Math.random() * 100
    while ((await countMailed()) < enough) await sleep(5)
    await kill(sender)
  }
  expect(await countMailed()).toBeLessThan(1_200)
  const mailer = {
    send: ({ id, to }: { readonly id: string; readonly to: string }) => ask(`insert into mailed (id, address) values ($1, $2)`, [id, to]),
  }
  const send = (when: Date) => deliverIssues({ mailer, unsubscribeUrl: token => `https://example.com/${token}`, transact: work }, when)
  await kill(senders[3])
  while ((await send(new Date())) > 0);
  const afterwards = new Date(Date.now() + 11 * 60_000)
  while ((await send(afterwards)) > 0);
  const mailed = await ask('select id, address from mailed')
  const unlike = (key: string) => new Set(mailed.map(row => row[key] as string))
  // A provider that knows an id again has sent one mail to each.
  expect(unlike('address')).toEqual(new Set(everybody))
  expect(unlike('id').size).toBe(1_200)
  // What a killed process had in hand is all that can come again.
  expect(mailed.length - 1_200).toBeLessThanOrEqual(4 * 50)
  expect(await work(em => em.count(NewsletterDelivery, { status: 'SENT' }))).toBe(1_200)
  expect(await work(em => em.findOneOrFail(NewsletterIssue, {}))).toMatchObject({ status: 'DONE', stats: { delivered: 1_200 } })
})
