import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { systemActor } from '../../src/context/index.ts'
import {
  confirmSubscription,
  importSubscribers,
  NewsletterSubscriber,
  recipientsOf,
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
