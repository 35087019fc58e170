import { Type } from 'typebox'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { systemActor } from '../../src/context/index.ts'
import {
  clearSetting,
  createEndpoint,
  defineSetting,
  forgetFinished,
  forgetIdempotencyKeys,
  IdempotencyKey,
  keepFinishedDays,
  putSetting,
  settingOf,
  SystemSetting,
  Task,
  WebhookDelivery,
} from '../../src/entities.ts'
import { answerOnce, type RepeatableRequest } from '../../src/domain/system/internal.ts'
import { newId } from '../../src/kernel/id.ts'
import type { Daybook, ScopedEntityManager } from '../../src/orm/index.ts'
import { history } from '../../src/readers/index.ts'
import { openTestDaybook } from '../../src/testing/index.ts'

let daybook: Daybook
let tenant: string
beforeAll(async () => {
  daybook = await openTestDaybook({ poolMax: 20 })
})
afterAll(() => daybook.close())
beforeEach(() => {
  tenant = newId()
})

const work = <T>(does: (em: ScopedEntityManager) => Promise<T>) => daybook.transact({ tenant, actor: systemActor('clerk') }, does)
const dayMs = 24 * 3_600_000

describe('a setting', () => {
  const greeting = defineSetting('greeting', Type.String({ maxLength: 20 }), 'Hello')

  test('stands as it comes until somebody sets it, and the log tells who', async () => {
    expect(await work(em => settingOf(em, greeting))).toBe('Hello')
    await work(em => putSetting(em, greeting, 'Bonjour'))
    await work(em => putSetting(em, greeting, 'Salut'))
    expect(await work(em => settingOf(em, greeting))).toBe('Salut')
    await work(async em => {
      const entries = await history(em, await em.findOneOrFail(SystemSetting, {}))
      expect(entries.map(({ event }) => event.after?.value)).toEqual(['Bonjour', 'Salut'])
    })
    await work(em => clearSetting(em, greeting))
    expect(await work(em => settingOf(em, greeting))).toBe('Hello')
  })

  test('takes nothing that it can’t be, and what it can’t be any more stands for nothing', async () => {
    await expect(work(em => putSetting(em, greeting, 'x'.repeat(21)))).rejects.toMatchObject({ code: 'system.setting_invalid' })
    await work(em => putSetting(em, greeting, 'Bonjour'))
    const now = defineSetting('greeting', Type.Integer(), 7)
    expect(await work(em => settingOf(em, now))).toBe(7)
  })
})

describe('a request with a key', () => {
  const request: RepeatableRequest = { key: 'k1', principal: 'user:1', method: 'POST', route: '/tasks', body: { title: 'Fire' } }
  const answer = (asked: Partial<RepeatableRequest> = {}, at?: Date) =>
    work(em =>
      answerOnce(
        em,
        { ...request, ...asked },
        () => {
          const { id } = em.create(Task, { title: 'Fire' })
          return Promise.resolve({ status: 201, headers: { location: `/tasks/${id}` }, body: { id } })
        },
        at,
      ),
    )
  const tasks = () => work(em => em.count(Task))

  test('is answered once, and the same again', async () => {
    const first = await answer()
    const second = await answer()
    expect(first.replayed).toBe(false)
    expect(second).toEqual({ ...first, replayed: true })
    expect(await tasks()).toBe(1)
  })

  test('is answered once, however many ask at once', async () => {
    const results = await Promise.allSettled(Array.from({ length: 20 }, () => answer()))
    const refused = results.flatMap(result => (result.status === 'rejected' ? [(result.reason as { code: string }).code] : []))
    expect(refused.filter(code => code !== 'idempotency.in_flight')).toEqual([])
    expect(await tasks()).toBe(1)
  })

  test.each([{ body: { title: 'Flood' } }, { method: 'PUT' }, { route: '/projects' }])(
    'is refused for another request: %j',
    async other => {
      await answer()
      await expect(answer(other)).rejects.toMatchObject({ code: 'idempotency.mismatch' })
      expect(await tasks()).toBe(1)
    },
  )

  test('is another’s for somebody else, and nobody’s after a day', async () => {
    await answer()
    expect((await answer({ principal: 'user:2' })).replayed).toBe(false)
    expect((await answer({}, new Date(Date.now() + dayMs + 1_000))).replayed).toBe(false)
    expect(await tasks()).toBe(3)
  })

  test('that fails leaves no key behind', async () => {
    const failing = work(em => answerOnce(em, request, () => Promise.reject(new Error('No paper'))))
    await expect(failing).rejects.toThrow('No paper')
    expect((await answer()).replayed).toBe(false)
  })

  test('is forgotten when it has run out', async () => {
    await answer()
    expect(await work(em => forgetIdempotencyKeys(em, new Date()))).toBe(0)
    expect(await work(em => forgetIdempotencyKeys(em, new Date(Date.now() + 2 * dayMs)))).toBe(1)
    expect(await work(em => em.count(IdempotencyKey))).toBe(0)
  })
})

test('what arrived is forgotten after as many days as the organization has set, and a dry run forgets nothing', async () => {
  await work(async em => {
    const { endpoint } = await createEndpoint(em, { url: 'https://example.com', events: ['*'] })
    for (const status of ['OK', 'DEAD'] as const)
      em.create(WebhookDelivery, { endpoint, eventId: newId(), eventType: 'task.created', status })
    await putSetting(em, keepFinishedDays, 7)
  })
  const after = (days: number, dryRun = false) => work(em => forgetFinished(em, { at: new Date(Date.now() + days * dayMs), dryRun }))
  expect(await after(6)).toBe(0)
  expect(await after(8, true)).toBe(1)
  expect(await after(8)).toBe(1)
  expect(await work(em => em.find(WebhookDelivery, {}))).toMatchObject([{ status: 'DEAD' }])
})
