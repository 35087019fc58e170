import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { systemActor } from '../../src/context/index.ts'
import { deliverIssues, importSubscribers, NewsletterDelivery, NewsletterIssue } from '../../src/entities.ts'
import { newId } from '../../src/kernel/id.ts'
import type { ScopedEntityManager } from '../../src/orm/index.ts'
import { openTestDatabase, type TestDatabase } from '../../src/testing/index.ts'
import { administer } from '../../src/testing/test-server.ts'

let database: TestDatabase
const tenant = newId()
beforeAll(async () => {
  database = await openTestDatabase({ poolMax: 10 })
  await ask('create table mailed (place bigint generated always as identity, id uuid, address text)')
})
afterAll(() => database.daybook.close())

const ask = (sql: string) => administer(database.urls!.administrator, sql)
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

test('an issue goes to each subscriber once, though four processes send it and three are killed', { timeout: 60_000 }, async () => {
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
  for (const sender of senders.slice(0, 3)) {
    await sleep(100 + Math.random() * 300)
    await kill(sender)
  }
  const [before] = await ask('select count(*)::int as sent from mailed')
  expect(before!.sent).toBeLessThan(1_200)
  const mailer = {
    send: ({ id, to }: { readonly id: string; readonly to: string }) => ask(`insert into mailed (id, address) values ('${id}', '${to}')`),
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
