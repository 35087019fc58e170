import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { systemActor } from '../../src/context/index.ts'
import {
  deliverIssues,
  importSubscribers,
  JobRun,
  NewsletterDelivery,
  NewsletterIssue,
  type NewsletterMail,
  NewsletterSubscriber,
  Organization,
  subscribeToNewsletter,
  unsubscribe,
} from '../../src/entities.ts'
import { jobsWith, runJob } from '../../src/jobs/index.ts'
import { newId } from '../../src/kernel/id.ts'
import type { Daybook, ScopedEntityManager, Transact } from '../../src/orm/index.ts'
import { replayProblems } from '../../src/readers/index.ts'
import { openTestDaybook } from '../../src/testing/index.ts'

let daybook: Daybook
let tenant: string
let mails: NewsletterMail[]
let refuse: (mail: NewsletterMail) => boolean

beforeAll(async () => {
  daybook = await openTestDaybook({ poolMax: 20 })
})
afterAll(() => daybook.close())

const at = new Date('2026-11-23T10:00:00Z')
const hours = (after: number) => new Date(Date.now() + after * 3_600_000)
const work = <T>(does: (em: ScopedEntityManager) => Promise<T>) => daybook.transact({ tenant, actor: systemActor('editor') }, does)
const subscribeAll = (emails: readonly string[], locale = 'en') =>
  work(em =>
    importSubscribers(
      em,
      emails.map(email => ({ email, locale, source: 'fair' })),
      at,
    ),
  )
const mailer = {
  send: async (mail: NewsletterMail) => {
    if (!mail.to.endsWith(`${tenant}.example`)) return
    if (refuse(mail)) throw new Error(`No mail to ${mail.to} with ${mail.text}`)
    mails.push(mail)
  },
}
const newsletter = { mailer, unsubscribeUrl: (token: string) => `https://news.example.com/newsletters/unsubscribe?token=${token}` }
const job = jobsWith({ newsletter }).find(({ name }) => name === 'send-newsletters')!
const run = (when = new Date(), options = {}) => runJob(daybook, job, { at: when, ...options })
const deliver = (transact: Transact = work) => deliverIssues({ ...newsletter, transact }, new Date())
const address = (name: string) => `${name}@${tenant}.example`
const plan = (scheduledAt: Date) =>
  work(async em => {
    const issue = em.create(NewsletterIssue, { subject: 'News\r\nBcc: everybody', body: 'What is new.' })
    issue.schedule(scheduledAt, new Date(0))
    return issue
  })
const issueNow = (id: string) => work(em => em.findOneOrFail(NewsletterIssue, id))
const deliveries = () => work(em => em.find(NewsletterDelivery, {}, { orderBy: { id: 'asc' } }))

beforeEach(async () => {
  tenant = newId()
  mails = []
  refuse = () => false
  await work(async em => void em.create(Organization, { id: tenant, name: 'Firm', slug: `firm-${tenant}` }))
})

test('an issue whose time has come is mailed to each once, with a way out that works', async () => {
  await subscribeAll([address('ada')])
  await subscribeAll([address('zoé')], 'fr')
  await work(em => subscribeToNewsletter(em, { email: address('unconfirmed'), source: 'website' }))
  const { id } = await plan(hours(-1))
  const report = await run()
  expect(report.status).toBe('OK')
  await run()
  expect(mails.map(({ to }) => to).toSorted()).toEqual([address('ada'), address('zoé')])
  const mail = mails.find(({ to }) => to === address('ada'))!
  expect(mail.subject).toBe('News Bcc: everybody')
  const [, token] = /^<https:\/\/news\.example\.com\/newsletters\/unsubscribe\?token=(.+)>$/.exec(mail.headers['List-Unsubscribe']!)!
  expect(mail.headers['List-Unsubscribe-Post']).toBe('List-Unsubscribe=One-Click')
  expect(mail.text).toBe(`What is new.\n\n-- \nUnsubscribe: ${newsletter.unsubscribeUrl(token!)}\n`)
  expect(mails.find(({ to }) => to === address('zoé'))!.text).toContain('Se désabonner\u00a0: https:')
  await unsubscribe(daybook, token!, at)
  expect(await work(em => em.findOneOrFail(NewsletterSubscriber, { email: address('ada') }))).toMatchObject({ status: 'UNSUBSCRIBED' })
  expect(await issueNow(id)).toMatchObject({ status: 'DONE', stats: { delivered: 2 } })
  expect(await deliveries()).toMatchObject([{ status: 'SENT' }, { status: 'SENT' }])
  expect(await work(em => replayProblems(em))).toEqual([])
})

test('what a run has done stands in its record, and a dry run does nothing', async () => {
  await subscribeAll(['a', 'b', 'c'].map(address))
  await plan(hours(-1))
  expect((await run(new Date(), { dryRun: true })).processed).toBeGreaterThan(0)
  expect(mails).toEqual([])
  await run()
  const runs = await daybook.transact({ kind: 'operator', actor: systemActor('test'), reason: 'test' }, em =>
    em.find(JobRun, { job: 'send-newsletters', tenantId: tenant, dryRun: false }),
  )
  expect(runs).toMatchObject([{ status: 'OK', processed: 6 }])
})

test('before its time nothing is mailed, and nothing once nobody is there', async () => {
  const { id } = await plan(hours(1))
  await subscribeAll([address('ada')])
  await run()
  expect(mails).toEqual([])
  await work(async em => (await em.findOneOrFail(NewsletterSubscriber, {})).bounce())
  expect((await run(hours(2))).status).toBe('OK')
  expect(await issueNow(id)).toMatchObject({ status: 'DONE', stats: { delivered: 0 } })
  expect(mails).toEqual([])
})

describe('a mail', () => {
  test('that can’t be sent is sent later, under the same id, and says nothing of what it held', async () => {
    await subscribeAll(['ada', 'eve'].map(address))
    await plan(hours(-1))
    refuse = ({ to }) => to === address('eve')
    await run()
    expect(mails).toHaveLength(1)
    const [failed] = (await deliveries()).filter(({ status }) => status === 'PENDING')
    expect(failed).toMatchObject({ attempt: 1, error: 'The mailer refused it: Error.' })
    refuse = () => false
    await run(hours(1))
    await run(hours(1))
    expect(mails.map(({ to }) => to)).toEqual([address('ada'), address('eve')])
    expect(mails[1]!.id).toBe(failed!.id)
  })

  test('counts as delivered once it is sent, and not when it is queued', async () => {
    await subscribeAll(['ada', 'eve'].map(address))
    const { id } = await plan(hours(-1))
    refuse = ({ to }) => to === address('eve')
    await run()
    expect(await issueNow(id)).toMatchObject({ status: 'DONE', stats: { delivered: 1 } })
    refuse = () => false
    await run(hours(1))
    expect(await issueNow(id)).toMatchObject({ stats: { delivered: 2 } })
  })

  test('counts once, also when whoever had it is gone, and what a process sent that died counts the next time', async () => {
    await subscribeAll(['ada', 'eve', 'zoé'].map(address))
    const { id } = await plan(hours(-1))
    refuse = ({ to }) => to !== address('ada')
    let transactions = 0
    // To queue, to take, and to record each of three; then it would tell.
    const dying: Transact = does => (++transactions > 5 ? Promise.reject(new Error('the process is gone')) : work(does))
    await expect(deliverIssues({ ...newsletter, transact: dying }, new Date())).rejects.toThrow('gone')
    expect(await issueNow(id)).toMatchObject({ stats: { delivered: 0 } })
    refuse = ({ to }) => to === address('zoé')
    await run(hours(1))
    expect(await issueNow(id)).toMatchObject({ stats: { delivered: 2 } })
    await work(async em => em.nativeDelete(NewsletterSubscriber, { email: address('ada') }))
    refuse = () => false
    await run(hours(2))
    expect(await issueNow(id)).toMatchObject({ stats: { delivered: 3 } })
    expect(await work(em => em.count(NewsletterDelivery, { status: 'SENT', isCounted: false }))).toBe(0)
    expect(await work(em => replayProblems(em))).toEqual([])
  })

  test('whose mailer never answers is tried again later, and holds up nobody', async () => {
    await subscribeAll(['ada', 'eve'].map(address))
    await plan(hours(-1))
    let toldToStop = false
    const send = (mail: NewsletterMail, signal: AbortSignal) => {
      if (mail.to !== address('eve')) return mailer.send(mail)
      signal.addEventListener('abort', () => (toldToStop = true))
      return new Promise(() => undefined)
    }
    const transact = <T>(does: (em: ScopedEntityManager) => Promise<T>) => work(does)
    await deliverIssues({ ...newsletter, mailer: { send }, timeoutMs: 100, transact }, new Date())
    expect(mails.map(({ to }) => to)).toEqual([address('ada')])
    expect(toldToStop).toBe(true)
    const late = expect.objectContaining({ status: 'PENDING', attempt: 1, error: 'The mailer refused it: TimeoutError.' }) as unknown
    expect(await deliveries()).toContainEqual(late)
  })

  test('that is refused seven times is given up until somebody says otherwise', async () => {
    await subscribeAll([address('eve')])
    await plan(hours(-1))
    refuse = () => true
    for (let attempt = 0; attempt < 7; attempt++) await run(hours(attempt * 24))
    expect(await deliveries()).toMatchObject([{ status: 'DEAD', attempt: 7, nextAttemptAt: null }])
    refuse = () => false
    await run(hours(500))
    expect(mails).toEqual([])
    await work(async em => (await em.findOneOrFail(NewsletterDelivery, {})).retry(new Date()))
    await run()
    expect(mails).toHaveLength(1)
  })

  test('isn’t sent to whoever has left since it was queued', async () => {
    await subscribeAll([address('eve')])
    await plan(hours(-1))
    refuse = () => true
    await run()
    refuse = () => false
    await work(async em => (await em.findOneOrFail(NewsletterSubscriber, {})).unsubscribe(at))
    expect((await run(hours(1))).status).toBe('OK')
    expect(mails).toEqual([])
    expect(await deliveries()).toMatchObject([{ status: 'SKIPPED' }])
  })

  test('waits while its issue is paused', async () => {
    await subscribeAll(Array.from({ length: 501 }, (_none, index) => address(`reader-${index}`)))
    const { id } = await plan(hours(-1))
    refuse = () => true
    expect(await deliver()).toBe(550)
    await work(async em => (await em.findOneOrFail(NewsletterIssue, id)).pause())
    refuse = () => false
    expect((await run(hours(1))).status).toBe('OK')
    expect(mails).toEqual([])
    await work(async em => (await em.findOneOrFail(NewsletterIssue, id)).resume())
    // A run takes as long for one tenant as is fair to the others, so it may take some.
    for (let runs = 0; runs < 10 && mails.length < 501; runs++) await run(hours(1))
    expect(new Set(mails.map(({ to }) => to)).size).toBe(501)
    expect(mails).toHaveLength(501)
  })
})

test('an issue that is deleted while it is sent is nobody’s failure', async () => {
  await subscribeAll([address('ada'), address('bea')])
  const { id } = await plan(hours(-1))
  let sent = 0
  const send = async () => {
    if (sent++ === 0) await work(async em => void em.remove(await em.findOneOrFail(NewsletterIssue, id)))
  }
  await deliverIssues({ ...newsletter, mailer: { send }, transact: work }, new Date())
  expect([sent, await deliveries()]).toEqual([2, []])
})

test('an issue keeps its words once it is being sent', async () => {
  const { id } = await plan(hours(-1))
  const say = (subject: string) => work(em => em.execute('update newsletter_issue set subject = ? where id = ?', [subject, id]))
  await say('Better news')
  await deliver()
  await expect(say('Other news')).rejects.toMatchObject({ code: '23514' })
})

test('nobody gets an issue twice, whatever is tried', async () => {
  await subscribeAll([address('ada')])
  await plan(hours(-1))
  await run()
  const again = work(em =>
    em.execute(
      `insert into newsletter_delivery (id, tenant_id, issue_id, subscriber_id, next_attempt_at)
         select gen_random_uuid(), tenant_id, issue_id, subscriber_id, now() from newsletter_delivery`,
    ),
  )
  await expect(again).rejects.toMatchObject({ code: '23505' })
})

describe('the recipients of an issue', () => {
  const readers = (many: number) => Array.from({ length: many }, (_none, index) => address(`reader-${index}`))

  test('are queued together with how far it got, or not at all', async () => {
    await subscribeAll(readers(3))
    const { id } = await plan(hours(-1))
    const dying: Transact = does =>
      work(async em => {
        await does(em)
        await em.flush()
        throw new Error('the process is gone')
      })
    await expect(deliver(dying)).rejects.toThrow('gone')
    expect(await deliveries()).toEqual([])
    expect(await issueNow(id)).toMatchObject({ status: 'SCHEDULED', position: null, stats: { delivered: 0 } })
    await deliver()
    expect(mails.map(({ to }) => to).toSorted()).toEqual(readers(3))
  })

  // Some 500 are queued at once, and 50 sent.
  test.each([499, 500, 501])('are %i, and each is queued once', async many => {
    await subscribeAll(readers(many))
    const { id } = await plan(hours(-1))
    await deliver()
    await deliver()
    expect(await issueNow(id)).toMatchObject({ status: 'DONE', stats: { delivered: 100 } })
    expect(await work(em => em.count(NewsletterDelivery))).toBe(many)
  })

  test('get it once though several processes send it', async () => {
    await subscribeAll(readers(20))
    const { id } = await plan(hours(-1))
    await Promise.all([deliver(), deliver(), deliver()])
    while ((await deliver()) > 0);
    expect(mails.map(({ to }) => to).toSorted()).toEqual(readers(20).toSorted())
    expect(await issueNow(id)).toMatchObject({ status: 'DONE', stats: { delivered: 20 } })
  })
})
