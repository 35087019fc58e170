import { createHmac } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { systemActor, userActor } from '../../src/context/index.ts'
import {
  assertStripeSignature,
  BillingEvent,
  Organization,
  Plan,
  planCatalogue,
  planTypes,
  QuotaCounter,
  receiveStripeEvent,
  registerOrganization,
  type StripeEvent,
  Subscription,
  subscriptionStatuses,
  subscriptionTransitions,
  UsageEvent,
  useQuota,
} from '../../src/entities.ts'
import { jobs, runJob } from '../../src/jobs/index.ts'
import { newId } from '../../src/kernel/id.ts'
import type { Daybook, ScopedEntityManager } from '../../src/orm/index.ts'
import { history } from '../../src/readers/index.ts'
import { openTestDaybook } from '../../src/testing/index.ts'

let daybook: Daybook
let tenant: string
let owner: string

beforeAll(async () => {
  daybook = await openTestDaybook({ poolMax: 20 })
})
afterAll(() => daybook.close())
beforeEach(async () => {
  const organization = { name: 'Payer' }
  const registered = await registerOrganization(daybook, { email: `${newId()}@example.com`, password: 'a long enough one', organization })
  tenant = registered.organization.id
  owner = registered.user.id
})

const work = <T>(does: (em: ScopedEntityManager) => Promise<T>, actor = systemActor('test')) => daybook.transact({ tenant, actor }, does)
const at = new Date('2026-11-21T10:00:00Z')
const seconds = (date: Date) => Math.floor(date.getTime() / 1_000)
const days = (count: number) => new Date(at.getTime() + count * 86_400_000)

test('the plans are there for everybody, and nobody writes them', async () => {
  const plans = await work(em => em.find(Plan, {}, { orderBy: { key: 'asc' } }))
  expect(plans.map(({ key }) => key)).toEqual(planTypes.toSorted())
  await expect(work(em => em.execute(`update plan set name = 'Mine'`))).rejects.toThrow(/permission denied/)
})

describe('a quota', () => {
  const limit = planCatalogue.find(({ key }) => key === 'FREE')!.limits.FIXES!
  const use = (requestId: string, quantity = 1, when = at) =>
    work(em => useQuota(em, { metric: 'FIXES', quantity, requestId, at: when }), userActor(owner))
  const uses = () => work(em => em.find(UsageEvent, {}))

  test('counts what is used until it is used up, and begins again with the next period', async () => {
    for (let used = 1; used <= limit; used++)
      expect(await use(`${used}`)).toMatchObject({ used, limit, resetAt: new Date('2026-12-01T00:00:00Z') })
    await expect(use('one too many')).rejects.toMatchObject({ code: 'billing.quota_exceeded', details: { metric: 'FIXES', limit } })
    expect(await uses()).toHaveLength(limit)
    expect(await use('december', 1, new Date('2026-12-01T00:00:00Z'))).toMatchObject({ used: 1 })
  })

  test('counts a request once, however often it is told', async () => {
    await use('same')
    expect(await use('same')).toMatchObject({ used: 1 })
    const [event] = await uses()
    expect(event).toMatchObject({ metric: 'FIXES', quantity: 1, requestId: 'same' })
    expect(event!.user!.id).toBe(owner)
  })

  test('refuses more than the limit at once, and counts nothing then', async () => {
    await expect(use('huge', limit + 1)).rejects.toMatchObject({ code: 'billing.quota_exceeded' })
    await use('most', limit - 1)
    await expect(use('rest', 2)).rejects.toMatchObject({ code: 'billing.quota_exceeded' })
    expect(await use('last', 1)).toMatchObject({ used: limit })
  })

  test('lets through exactly what it allows of fifty at once', async () => {
    const attempts = await Promise.allSettled(Array.from({ length: 50 }, (_none, index) => use(`${index}`)))
    expect(attempts.filter(({ status }) => status === 'fulfilled')).toHaveLength(limit)
    const refused = attempts.filter(attempt => attempt.status === 'rejected')
    for (const { reason } of refused) expect(reason).toMatchObject({ code: 'billing.quota_exceeded' })
    expect(await uses()).toHaveLength(limit)
    expect(await work(em => em.findOneOrFail(QuotaCounter, { metric: 'FIXES' }))).toMatchObject({ used: limit, limit })
  })

  test('isn’t there for a plan without limits', async () => {
    await work(async em => void ((await em.findOneOrFail(Organization, tenant)).plan = 'ENTERPRISE'))
    const quota = await use('much', 1_000_000)
    expect(quota).toMatchObject({ used: 1_000_000 })
    expect(quota.limit).toBeUndefined()
  })

  test.each([1.5, Number.NaN, 0, -5, Infinity, 2 ** 31])('counts nothing %d times', async quantity => {
    await expect(use('odd', quantity)).rejects.toMatchObject({ code: 'billing.quantity_refused' })
    expect(await uses()).toEqual([])
  })

  test('uses can only be added', async () => {
    await use('one')
    for (const sql of ['update usage_event set quantity = 0', 'delete from usage_event']) {
      await expect(work(em => em.execute(sql))).rejects.toThrow(/permission denied/)
    }
  })
})

describe('the job that resets quotas', () => {
  const job = jobs.find(({ name }) => name === 'reset-quotas')!
  const resetAt = async () => (await work(em => em.findOneOrFail(Organization, tenant))).quotaResetAt
  const changes = async () =>
    (await history(daybook.scope({ tenant, actor: systemActor('test') }), [Organization, tenant])).filter(({ changes: told }) =>
      told.some(({ property }) => property === 'quotaResetAt'),
    )

  test('says when the next period begins, once, and the log tells of it', async () => {
    await runJob(daybook, job, { at })
    expect(await resetAt()).toEqual(new Date('2026-12-01T00:00:00Z'))
    await runJob(daybook, job, { at: days(1) })
    expect(await changes()).toHaveLength(1)
    expect(await changes()).toMatchObject([{ event: { actorType: 'system', actorId: 'job:reset-quotas' } }])
    await runJob(daybook, job, { at: new Date('2026-12-01T00:00:00Z') })
    expect(await resetAt()).toEqual(new Date('2027-01-01T00:00:00Z'))
    expect(await changes()).toHaveLength(2)
  })

  test('goes by the period that is paid for, also while the provider has not told of the next one', async () => {
    await work(async em => {
      const plan = await em.findOneOrFail(Plan, { key: 'STARTER' })
      em.create(Subscription, { plan, currentPeriodStart: days(-20), currentPeriodEnd: days(10) })
    })
    await runJob(daybook, job, { at })
    expect(await resetAt()).toEqual(days(10))
    await runJob(daybook, job, { at: days(11) })
    expect(await resetAt()).toEqual(days(40))
    const quota = await work(em => useQuota(em, { metric: 'FIXES', requestId: 'one', at: days(11) }))
    expect(quota.resetAt).toEqual(days(40))
  })

  test('changes nothing when it is only asked what it would do', async () => {
    expect((await runJob(daybook, job, { at, dryRun: true })).processed).toBeGreaterThan(0)
    expect(await resetAt()).toBeNull()
  })
})

describe('an event of Stripe’s', () => {
  const event = (more: Partial<StripeEvent['data']['object']> = {}, rest: Partial<StripeEvent> = {}): StripeEvent => ({
    id: newId(),
    type: 'customer.subscription.updated',
    created: seconds(at),
    data: {
      object: {
        id: 'sub_1',
        customer: 'cus_1',
        status: 'active',
        current_period_start: seconds(days(-1)),
        current_period_end: seconds(days(29)),
        metadata: { plan: 'STARTER' },
        items: { data: [{ price: { id: 'price_1' } }] },
        ...more,
      },
    },
    ...rest,
  })
  const receive = (told: StripeEvent) => work(em => receiveStripeEvent(em, told, at))
  const live = () => work(em => em.findOne(Subscription, { status: { $ne: 'CANCELED' } }, { populate: ['plan'] }))
  const plan = async () => (await work(em => em.findOneOrFail(Organization, tenant))).plan

  test('begins a subscription, and with it the plan and its period', async () => {
    expect(await receive(event())).toMatchObject({ status: 'PROCESSED', error: null })
    const subscription = await live()
    expect(subscription).toMatchObject({
      status: 'ACTIVE',
      stripeCustomerId: 'cus_1',
      stripePriceId: 'price_1',
      currentPeriodEnd: days(29),
    })
    expect(await plan()).toBe('STARTER')
    expect(await work(em => useQuota(em, { metric: 'FIXES', requestId: 'a', at }))).toMatchObject({ limit: 50, resetAt: days(29) })
  })

  test('is taken in once, also when it comes ten times at once', async () => {
    const told = event()
    await Promise.all(Array.from({ length: 10 }, () => receive(told)))
    expect(await work(em => em.count(BillingEvent))).toBe(1)
    expect(await work(em => em.count(Subscription))).toBe(1)
  })

  test('is no conflict with one that came while the organization was already read', async () => {
    const em = daybook.scope({ tenant, actor: systemActor('test') })
    await em.findOneOrFail(Organization, tenant)
    await receive(event())
    const next = event({ metadata: { plan: 'ENTERPRISE' } }, { created: seconds(days(1)) })
    expect(await receiveStripeEvent(em, next, at)).toMatchObject({ status: 'PROCESSED' })
    expect(await plan()).toBe('ENTERPRISE')
  })

  test('that comes late is set aside', async () => {
    await receive(event({ status: 'past_due' }))
    expect(await receive(event({ status: 'active' }, { created: seconds(days(-1)) }))).toMatchObject({ status: 'IGNORED' })
    expect(await live()).toMatchObject({ status: 'PAST_DUE' })
  })

  test('ends a subscription, and the organization is back at what costs nothing', async () => {
    await receive(event())
    await receive(event({}, { type: 'customer.subscription.deleted', created: seconds(at) + 1 }))
    expect(await live()).toBeNull()
    expect(await plan()).toBe('FREE')
    expect(await receive(event({}, { created: seconds(at) + 2 }))).toMatchObject({
      status: 'FAILED',
      error: expect.stringMatching(/CANCELED can't become ACTIVE/),
    })
  })

  test('of another subscription takes the place of the one before it', async () => {
    await receive(event())
    await receive(event({ id: 'sub_2', metadata: { plan: 'PROFESSIONAL' } }, { created: seconds(at) + 1 }))
    expect(await live()).toMatchObject({ stripeSubscriptionId: 'sub_2' })
    expect(await plan()).toBe('PROFESSIONAL')
    expect(await work(em => em.count(Subscription))).toBe(2)
  })

  const professional = { id: 'sub_2', metadata: { plan: 'PROFESSIONAL' } }
  const later = (afterSeconds: number, type = 'customer.subscription.updated') => ({ type, created: seconds(at) + afterSeconds })
  const paysProfessional = async () => {
    expect(await live()).toMatchObject({ stripeSubscriptionId: 'sub_2', status: 'ACTIVE' })
    expect(await work(em => em.findOneOrFail(Organization, tenant))).toMatchObject({ plan: 'PROFESSIONAL', quotaResetAt: days(29) })
  }

  test('that one is over whose place another has taken leaves the other as it is', async () => {
    await receive(event())
    await receive(event(professional, later(1)))
    const over = event({ status: 'canceled' }, later(2, 'customer.subscription.deleted'))
    expect(await receive(over)).toMatchObject({ status: 'PROCESSED' })
    await paysProfessional()
  })

  test('that somebody left a checkout ends nothing that is paid for', async () => {
    await receive(event(professional))
    expect(await receive(event({ id: 'sub_3', status: 'incomplete' }, later(1)))).toMatchObject({ status: 'IGNORED' })
    await receive(event({ id: 'sub_3', status: 'incomplete_expired' }, later(82_800)))
    await paysProfessional()
  })

  test.each([
    ['said before it', {}, later(-3_600)],
    ['begun before it', { created: seconds(days(-9)) }, later(60)],
  ])('of a subscription that is first heard of after a newer one, and was %s, takes nothing from that', async (_how, older, when) => {
    await receive(event({ ...professional, created: seconds(at) }))
    expect(await receive(event(older, when))).toMatchObject({ status: 'IGNORED', error: expect.stringMatching(/newer subscription/) })
    await paysProfessional()
  })

  test('of a newer subscription that comes late, after others of the older one, takes its place all the same', async () => {
    await receive(event({ created: seconds(at) }))
    await receive(event({ created: seconds(at) }, later(7_200)))
    await receive(event({ ...professional, created: seconds(at) + 60 }, later(60)))
    await paysProfessional()
  })

  test('gives a trial to a subscription that runs', async () => {
    await receive(event())
    const trial = { status: 'trialing', trial_end: seconds(days(40)), current_period_end: seconds(days(40)) }
    expect(await receive(event(trial, later(1)))).toMatchObject({ status: 'PROCESSED' })
    expect(await live()).toMatchObject({ status: 'TRIALING', trialEndsAt: days(40), currentPeriodEnd: days(40) })
  })

  test.each(['unpaid', 'paused'])('that says %s leaves the organization with what costs nothing until it is paid for', async status => {
    await receive(event())
    await receive(event({ status }, later(1)))
    expect(await live()).toMatchObject({ status: 'UNPAID' })
    expect(await plan()).toBe('FREE')
    const quota = await work(em => useQuota(em, { metric: 'FIXES', requestId: 'a', at }))
    expect(quota).toMatchObject({ limit: 5, resetAt: new Date('2026-12-01T00:00:00Z') })
    await receive(event({}, later(2)))
    expect(await live()).toMatchObject({ status: 'ACTIVE' })
    expect(await plan()).toBe('STARTER')
  })

  test('renews a period, to which belongs what was used of it before', async () => {
    await receive(event({ current_period_start: seconds(days(-30)), current_period_end: seconds(at) }))
    const use = (requestId: string) =>
      work(em => useQuota(em, { metric: 'FIXES', quantity: 25, requestId, at: new Date(at.getTime() + 60_000) }))
    expect(await use('before')).toMatchObject({ used: 25, resetAt: days(30) })
    await receive(event({ current_period_start: seconds(at), current_period_end: seconds(days(31)) }, later(300)))
    expect(await use('after')).toMatchObject({ used: 50, resetAt: days(31) })
    await expect(use('too much')).rejects.toMatchObject({ code: 'billing.quota_exceeded' })
  })

  test('may call the professional plan PRO', async () => {
    await receive(event({ metadata: { plan: 'PRO' } }))
    expect(await plan()).toBe('PROFESSIONAL')
  })

  test.each([
    [{ status: 'odd' }, 'Unknown status odd'],
    [{ status: 'constructor' }, 'Unknown status constructor'],
    [{ metadata: { plan: 'GOLD' } }, 'There is no plan GOLD'],
    [{ metadata: {} }, 'none named'],
  ])('that says %j is kept with its reason', async (more, reason) => {
    expect(await receive(event(more))).toMatchObject({ status: 'FAILED', error: expect.stringContaining(reason) })
    expect(await live()).toBeNull()
  })

  test('of another kind is kept and ignored', async () => {
    expect(await receive(event({}, { type: 'invoice.paid' }))).toMatchObject({ status: 'IGNORED' })
  })
})

describe('a signature', () => {
  const secret = 'whsec_test'
  const body = '{"id":"evt_1"}'
  const sign = (key: string, time: number, signed = body) =>
    `t=${time},v1=${createHmac('sha256', key).update(`${time}.${signed}`).digest('hex')},v0=00`

  test('by one of our secrets is believed', () => {
    assertStripeSignature(body, sign(secret, seconds(at)), ['whsec_old', secret], at)
  })

  test.each([
    ['by another secret', sign('whsec_other', seconds(at)), /not by our secret/],
    ['of another body', sign(secret, seconds(at), '{}'), /not by our secret/],
    ['too old', sign(secret, seconds(at) - 301), /too long ago/],
    ['from the future', sign(secret, seconds(at) + 301), /too long ago/],
    ['without a time', 'v1=00', /missing or malformed/],
    ['empty', '', /missing or malformed/],
    ['not hexadecimal', `t=${seconds(at)},v1=zz`, /not by our secret/],
  ])('%s is refused', (_what, header, reason) => {
    expect(() => assertStripeSignature(body, header, [secret], at)).toThrow(reason)
  })
})

describe('a subscription', () => {
  const moves = subscriptionStatuses
    .flatMap(from => subscriptionStatuses.map(to => [from, to] as const))
    .filter(([from, to]) => from !== to)

  test.each(moves)('that is %s becomes %s only if it may', (from, to) => {
    const subscription = Object.assign(new Subscription(), { status: from })
    if (subscriptionTransitions[from].includes(to)) {
      subscription.become(to, at)
      expect(subscription).toMatchObject({ status: to, ...(to === 'CANCELED' && { canceledAt: at }) })
    } else {
      expect(() => subscription.become(to, at)).toThrow(expect.objectContaining({ code: 'state.transition_refused' }))
    }
  })
})
