import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { systemActor } from '../../src/context/index.ts'
import {
  confirmSubscription,
  importSubscribers,
  MarketplaceItem,
  NewsletterIssue,
  NewsletterSubscriber,
  recipientsOf,
  scheduleIssue,
  sendIssue,
  subscribeToNewsletter,
  unsubscribe,
  unsubscribeTokenOf,
} from '../../src/entities.ts'
import { newId } from '../../src/kernel/id.ts'
import type { Daybook, ScopedEntityManager } from '../../src/orm/index.ts'
import { replayProblems } from '../../src/readers/index.ts'
import { openTestDatabase } from '../../src/testing/index.ts'

let daybook: Daybook
let tenant: string

beforeAll(async () => {
  ;({ daybook } = await openTestDatabase({ poolMax: 20 }))
})
afterAll(() => daybook.close())
beforeEach(() => {
  tenant = newId()
})

const at = new Date('2026-11-23T10:00:00Z')
const hour = (after: number) => new Date(at.getTime() + after * 3_600_000)
const day = (after: number) => hour(after * 24)
const scope = () => ({ tenant, actor: systemActor('editor') })
const work = <T>(does: (em: ScopedEntityManager) => Promise<T>): Promise<T> => daybook.transact(scope(), does)
const email = 'ada@example.com'
const ask = (address = email, when = at) => work(em => subscribeToNewsletter(em, { email: address, source: 'website' }, when))
const subscriber = (address = email) => work(em => em.findOneOrFail(NewsletterSubscriber, { email: address }))
const activate = async (address = email) => confirmSubscription(daybook, (await ask(address))!, at)
const refusedToken = { code: 'commerce.subscription_token' }

describe('a subscription', () => {
  test('waits until whoever reads the mail has confirmed it', async () => {
    const token = await ask(' Ada@Example.com ')
    expect(await subscriber()).toMatchObject({ status: 'PENDING', source: 'website', locale: 'en' })
    expect(await work(em => recipientsOf(em))).toEqual([])
    await confirmSubscription(daybook, token!, day(1))
    expect(await subscriber()).toMatchObject({ status: 'ACTIVE', confirmedAt: day(1) })
    await expect(confirmSubscription(daybook, token!, day(1))).rejects.toMatchObject(refusedToken)
  })

  test('that is asked for again has a new token, and the old one is worth nothing', async () => {
    const [first, second] = [await ask(), await ask(email, hour(1))]
    expect(second).not.toBe(first)
    await expect(confirmSubscription(daybook, first!, hour(1))).rejects.toMatchObject(refusedToken)
    await confirmSubscription(daybook, second!, hour(1))
    expect(await work(em => em.count(NewsletterSubscriber))).toBe(1)
  })

  test('that is asked for again within an hour is not mailed again, and the mail that went out holds', async () => {
    const token = await ask()
    for (const minutes of [0, 1, 59.9]) expect(await ask(email, hour(minutes / 60))).toBeUndefined()
    const other = await ask('somebody.else@example.com')
    expect(await confirmSubscription(daybook, other!, hour(1))).toMatchObject({ email: 'somebody.else@example.com', status: 'ACTIVE' })
    expect(await confirmSubscription(daybook, token!, hour(1))).toMatchObject({ status: 'ACTIVE' })
  })

  test('that was left is mailed when it is asked for, and then not again either', async () => {
    await activate()
    await unsubscribe(daybook, await work(async em => unsubscribeTokenOf(em, await em.findOneOrFail(NewsletterSubscriber, { email }))), at)
    expect([await ask(), await ask()]).toEqual([expect.any(String), undefined])
  })

  test('isn’t confirmed after a week', async () => {
    const token = await ask()
    await expect(confirmSubscription(daybook, token!, day(7))).rejects.toMatchObject(refusedToken)
    expect(await subscriber()).toMatchObject({ status: 'PENDING' })
  })

  test('that there is already gives no token, and nothing changes', async () => {
    await activate()
    const before = await subscriber()
    expect(await ask()).toBeUndefined()
    expect(await subscriber()).toEqual(before)
  })

  test('of an address that twenty enter at once is one', async () => {
    const asked = await Promise.all(Array.from({ length: 20 }, () => ask()))
    expect(await work(em => em.count(NewsletterSubscriber))).toBe(1)
    const tokens = asked.filter(token => token !== undefined)
    expect(tokens).toHaveLength(1)
    expect(await confirmSubscription(daybook, tokens[0]!, at)).toMatchObject({ status: 'ACTIVE' })
  })

  test.each(['', 'a.b', `${'A'.repeat(22)}.${'B'.repeat(43)}`])('isn’t opened by the token “%s”', async token => {
    await expect(confirmSubscription(daybook, token, at)).rejects.toMatchObject(refusedToken)
    await expect(unsubscribe(daybook, token, at)).rejects.toMatchObject(refusedToken)
  })

  test('keeps its tokens to itself: none is in the table or in the log', async () => {
    const confirmation = await ask()
    const unsubscribing = await work(async em => unsubscribeTokenOf(em, await em.findOneOrFail(NewsletterSubscriber, { email })))
    const secrets = [confirmation!, unsubscribing].flatMap(token => [token, token.split('.')[1]!])
    const everything = async () =>
      JSON.stringify(
        await work(async em => [
          await em.execute('select to_jsonb(s) as row from newsletter_subscriber s'),
          await em.execute('select to_jsonb(e) as row from audit_event e'),
        ]),
      )
    const before = await everything()
    await confirmSubscription(daybook, confirmation!, at)
    await work(em => em.execute(`update newsletter_subscriber set source = 'fair'`))
    const after = await everything()
    expect(before).toContain(email)
    for (const secret of secrets) for (const text of [before, after]) expect(text).not.toContain(secret)
    const { confirmationHash, unsubscribeHash, unsubscribeToken } = await subscriber()
    expect(confirmationHash).toBeNull()
    for (const kept of [unsubscribeHash, unsubscribeToken]) {
      expect(after.split(kept)).toHaveLength(2) // The table's own row, and no event.
    }
    await work(async em => expect(await replayProblems(em)).toEqual([]))
  })
})

describe('unsubscribing', () => {
  const tokenOf = () => work(async em => unsubscribeTokenOf(em, await em.findOneOrFail(NewsletterSubscriber, { email })))

  test('takes one click, twice is once, and years later still', async () => {
    await activate()
    const token = await tokenOf()
    await unsubscribe(daybook, token, day(1))
    await unsubscribe(daybook, token, day(900))
    expect(await subscriber()).toMatchObject({ status: 'UNSUBSCRIBED', unsubscribedAt: day(1) })
  })

  test('works with the first mail’s token after somebody came back', async () => {
    await activate()
    const token = await tokenOf()
    await unsubscribe(daybook, token, at)
    await activate()
    expect(await subscriber()).toMatchObject({ status: 'ACTIVE', unsubscribedAt: null })
    await unsubscribe(daybook, token, day(2))
    expect(await subscriber()).toMatchObject({ status: 'UNSUBSCRIBED' })
  })

  test('takes a confirmation along that was under way', async () => {
    const token = await ask()
    await unsubscribe(daybook, await tokenOf(), at)
    await expect(confirmSubscription(daybook, token!, at)).rejects.toMatchObject(refusedToken)
  })

  test('belongs to its organization alone', async () => {
    await activate()
    const token = await tokenOf()
    const elsewhere = `${Buffer.alloc(16, 7).toString('base64url')}.${token.split('.')[1]}`
    await expect(unsubscribe(daybook, elsewhere, at)).rejects.toMatchObject(refusedToken)
    expect(await subscriber()).toMatchObject({ status: 'ACTIVE' })
  })
})

describe('a list that is imported', () => {
  const list = (...addresses: string[]) =>
    work(em =>
      importSubscribers(
        em,
        addresses.map(address => ({ email: address, source: 'fair' })),
        at,
      ),
    )

  test('adds those who are new, each once, with a way out', async () => {
    expect(await list('b@example.com', 'A@example.com', 'a@example.com')).toEqual({ added: 2, known: 0 })
    expect(await subscriber('a@example.com')).toMatchObject({ status: 'ACTIVE', source: 'fair' })
    await unsubscribe(daybook, await work(async em => unsubscribeTokenOf(em, (await recipientsOf(em))[0]!)), at)
    expect(await work(em => recipientsOf(em))).toHaveLength(1)
  })

  test('brings nobody back who has complained, bounced, left or not confirmed', async () => {
    const moves = { complain: 'COMPLAINED', bounce: 'BOUNCED', unsubscribe: 'UNSUBSCRIBED' } as const
    for (const move of Object.keys(moves) as (keyof typeof moves)[]) {
      await activate(`${move}@example.com`)
      await work(async em => (await em.findOneOrFail(NewsletterSubscriber, { email: `${move}@example.com` }))[move](at))
    }
    await ask('pending@example.com')
    const addresses = [...Object.keys(moves), 'pending'].map(name => `${name}@example.com`)
    expect(await list(...addresses)).toEqual({ added: 0, known: 4 })
    expect(await work(em => recipientsOf(em))).toEqual([])
  })

  test('twice at once adds each once', async () => {
    const addresses = Array.from({ length: 10 }, (_none, index) => `${index}@example.com`)
    const reports = await Promise.all([list(...addresses), list(...addresses.toReversed()), list(...addresses)])
    expect(reports.filter(({ added }) => added === 0)).toHaveLength(2)
    expect(await work(em => em.count(NewsletterSubscriber))).toBe(10)
  })
})

test('whoever has complained is left alone, whatever is tried', async () => {
  await activate()
  await work(async em => (await em.findOneOrFail(NewsletterSubscriber, { email })).complain())
  expect(await ask()).toBeUndefined()
  for (const sql of [
    `update newsletter_subscriber set status = 'ACTIVE'`,
    `insert into newsletter_subscriber (id, tenant_id, email, source, status, confirmed_at, unsubscribe_token, unsubscribe_hash)
       select gen_random_uuid(), tenant_id, email, 'list', 'ACTIVE', now(), 'a', 'b' from newsletter_subscriber
       on conflict (tenant_id, email) do update set status = excluded.status`,
  ]) {
    await expect(work(em => em.execute(sql))).rejects.toMatchObject({ code: '23514' })
  }
  expect(await subscriber()).toMatchObject({ status: 'COMPLAINED' })
})

test('an address is kept in lower case', async () => {
  await ask()
  const attempt = work(em =>
    em.execute(`insert into newsletter_subscriber (id, tenant_id, email, source, unsubscribe_token, unsubscribe_hash)
    select gen_random_uuid(), tenant_id, 'Eve@example.com', 'list', 'a', 'b' from newsletter_subscriber`),
  )
  await expect(attempt).rejects.toMatchObject({ code: '23514' })
})

describe('a newsletter', () => {
  let issue: NewsletterIssue
  let delivered: string[]
  /** What it writes stands for the message that will be sent. */
  const deliver = async (em: ScopedEntityManager, { email: to }: NewsletterSubscriber) => {
    em.create(MarketplaceItem, { sku: to, title: to, kind: 'SERVICE', priceMinor: 0n, currency: 'EUR' })
    delivered.push(to)
  }
  const send = (does = deliver, batch = 4) => sendIssue(daybook.scope(scope()), issue, does, day(1), batch)
  const written = () => work(async em => (await em.find(MarketplaceItem, {}, { orderBy: { sku: 'asc' } })).map(({ sku }) => sku))
  const stored = () => work(em => em.findOneOrFail(NewsletterIssue, issue.id))
  const everybody = Array.from({ length: 10 }, (_none, index) => `reader-${index}@example.com`)

  beforeEach(async () => {
    delivered = []
    await work(em =>
      importSubscribers(
        em,
        everybody.map(address => ({ email: address, source: 'fair' })),
        at,
      ),
    )
    issue = await work(async em => {
      const made = em.create(NewsletterIssue, { subject: 'News', body: 'Text' })
      scheduleIssue(made, day(1), at)
      return made
    })
  })

  test('goes to each who is active, once, and is done then', async () => {
    await activate('late@example.com')
    await ask('pending@example.com')
    expect(await send()).toMatchObject({ status: 'DONE', sentAt: day(1), stats: { delivered: 11 } })
    expect(delivered.toSorted()).toEqual(['late@example.com', ...everybody])
    await send()
    expect(delivered).toHaveLength(11)
    expect(await written()).toEqual(['late@example.com', ...everybody])
  })

  test.each([1, 3, 4, 10, 11])('goes to each once in batches of %i', async batch => {
    await send(deliver, batch)
    expect(delivered.toSorted()).toEqual(everybody)
    expect(await stored()).toMatchObject({ status: 'DONE', stats: { delivered: 10 } })
  })

  test.each([0, 1, 5, 7, 9])('that stops at delivery %i goes on there, and to nobody twice', async failing => {
    const attempt = send(async (em, subscriberOf) => {
      if (delivered.length === failing) {
        em.create(MarketplaceItem, { sku: 'half', title: 'half', kind: 'SERVICE', priceMinor: 0n, currency: 'EUR' })
        await em.flush()
        throw new Error('the mail server is away')
      }
      await deliver(em, subscriberOf)
    })
    await expect(attempt).rejects.toThrow('the mail server is away')
    expect(await stored()).toMatchObject({ status: 'RUNNING', stats: { delivered: failing } })
    await send()
    expect(delivered.toSorted()).toEqual(everybody)
    expect(await written()).toEqual(everybody)
    expect(await stored()).toMatchObject({ status: 'DONE', stats: { delivered: 10 } })
    await work(async em => expect(await replayProblems(em)).toEqual([]))
  })

  test('whose delivery the database refuses stops behind the last that it took', async () => {
    const attempt = send(async (em, some) => {
      if (delivered.length === 6) await em.execute('select 1 / 0')
      await deliver(em, some)
    })
    await expect(attempt).rejects.toMatchObject({ code: '22012' })
    await send()
    expect(await written()).toEqual(everybody)
  })

  test('that dies in the middle of a batch has written nothing of it', async () => {
    await expect(
      daybook.transact(scope(), async em => {
        await sendIssue(em, issue, deliver, day(1), 4)
        throw new Error('the process is gone')
      }),
    ).rejects.toThrow('gone')
    expect(await written()).toEqual([])
    expect(await stored()).toMatchObject({ status: 'SCHEDULED', position: null })
    await send()
    expect(await written()).toEqual(everybody)
  })

  test('that two send at once goes to each once', async () => {
    await Promise.all([send(deliver, 2), send(deliver, 3), send(deliver, 2)])
    expect(delivered.toSorted()).toEqual(everybody)
  })

  test('that is paused waits until it is resumed', async () => {
    const stopping = send(async (em, some) => {
      await deliver(em, some)
      if (delivered.length === 5) throw new Error('stop')
    })
    await expect(stopping).rejects.toThrow('stop')
    delivered.pop()
    await work(async em => (await em.findOneOrFail(NewsletterIssue, issue.id)).pause())
    expect(await send()).toMatchObject({ status: 'PAUSED', stats: { delivered: 4 } })
    expect(delivered).toHaveLength(4)
    await work(async em => (await em.findOneOrFail(NewsletterIssue, issue.id)).resume())
    await send()
    expect(delivered.toSorted()).toEqual(everybody)
  })

  test('before its time isn’t sent', async () => {
    await expect(sendIssue(daybook.scope(scope()), issue, deliver, at)).rejects.toMatchObject({ code: 'commerce.issue_not_due' })
    expect(delivered).toEqual([])
  })

  test('keeps its words once it is being sent', async () => {
    await work(em => em.execute(`update newsletter_issue set subject = 'Better news'`))
    await send()
    await expect(work(em => em.execute(`update newsletter_issue set subject = 'Other news'`))).rejects.toMatchObject({ code: '23514' })
  })

  test('leaves those alone who unsubscribe while it is being sent', async () => {
    const { email: last } = (await work(em => recipientsOf(em))).at(-1)!
    await send(async (em, some) => {
      await deliver(em, some)
      if (delivered.length === 1) await em.execute(`update newsletter_subscriber set status = 'BOUNCED' where email = ?`, [last])
    }, 3)
    expect(delivered.toSorted()).toEqual(everybody.filter(address => address !== last))
  })
})
