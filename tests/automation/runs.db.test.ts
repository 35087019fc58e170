import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import {
  type Actions,
  addTrigger,
  Automation,
  createAutomation,
  fireSchedules,
  startAutomation,
  WorkflowExecution,
  WorkflowTrigger,
} from '../../src/entities.ts'
import { jobsWith, runJob } from '../../src/jobs/index.ts'
import type { ScopedEntityManager } from '../../src/orm/index.ts'
import { history, restore, revert } from '../../src/readers/index.ts'
import { useFirm } from '../setup/use-firm.ts'

const { firm, work } = useFirm()

const automation = (em: ScopedEntityManager) => em.findOneOrFail(Automation, { name: 'Greet' })
const trigger = (em: ScopedEntityManager) => em.findOneOrFail(WorkflowTrigger, {})
const execution = () => work(em => em.findOneOrFail(WorkflowExecution, {}))
const afterMs = (ms: number) => new Date(Date.now() + ms)

async function make(maxAttempts = 3): Promise<void> {
  await work(async em => void (await createAutomation(em, { name: 'Greet', definition: { kind: 'action', action: 'greet' }, maxAttempts })))
}
const start = () => work(async em => startAutomation(em, await automation(em)))
const run = (actions: Actions, at = new Date()) =>
  runJob(
    firm.daybook,
    jobsWith({ actions }).find(({ name }) => name === 'run-automations')!,
    { at },
  )

describe('what an action comes to', () => {
  test.each([
    ['NUL', { text: 'a\0b' }, { output: { text: 'ab' }, error: null }],
    ['half a character', ['\ud800'], { output: ['\ufffd'], error: null }],
    ['a bigint', { n: 1n }, { output: null, error: expect.stringMatching(/^It was done, but what came of it can't be kept/) as string }],
  ])('that holds %s is kept as far as it can be, and it isn’t done again', async (_what, output, kept) => {
    await make()
    await start()
    let done = 0
    const greet = () => Promise.resolve(output).finally(() => done++)
    expect(await run({ greet })).toMatchObject({ status: 'OK' })
    await run({ greet }, afterMs(120_000))
    expect(done).toBe(1)
    expect(await execution()).toMatchObject({ status: 'SUCCESS', attempt: 1, ...kept })
  })

  test('is a failure also where that is told in what can’t be stored', async () => {
    await make(1)
    await start()
    await run({ greet: () => Promise.reject(new Error('bad \0 byte')) })
    expect(await execution()).toMatchObject({ status: 'FAILED', error: 'bad  byte' })
  })
})

test('what is queued rests while its automation is inactive, and so does what is to be tried again', async () => {
  await make()
  await start()
  let done = 0
  const greet = () => Promise.reject(new Error('no')).finally(() => done++)
  const set = (isActive: boolean) => work(async em => void ((await automation(em)).isActive = isActive))
  await set(false)
  expect(await run({ greet })).toMatchObject({ status: 'OK' })
  expect(done).toBe(0)
  await set(true)
  await run({ greet })
  expect(await execution()).toMatchObject({ status: 'QUEUED', attempt: 1 })
  await set(false)
  await run({ greet }, afterMs(3_600_000))
  expect(done).toBe(1)
})

test('what is deleted while it runs is nobody’s failure', async () => {
  await make()
  await start()
  const greet = () => work(async em => void em.remove(await automation(em)))
  expect(await run({ greet })).toMatchObject({ status: 'OK', failed: 0 })
  expect(await work(em => em.count(WorkflowExecution))).toBe(0)
})

test('a run of a job that began a while ago doesn’t count to what it runs late', async () => {
  await make()
  await start()
  await work(async em => void ((await em.findOneOrFail(WorkflowExecution, {})).nextAttemptAt = afterMs(-3_600_000)))
  const began = Date.now()
  let leaseUntil = 0
  await run(
    {
      greet: async (_input, transact) => {
        leaseUntil = (await transact(em => em.findOneOrFail(WorkflowExecution, {}))).leaseUntil!.getTime()
      },
    },
    afterMs(-600_000),
  )
  expect((await execution()).durationMs).toBeLessThanOrEqual(Date.now() - began)
  expect(leaseUntil).toBeGreaterThan(began)
})

test('an automation that was deleted and is brought back rests until somebody activates it', async () => {
  await make()
  const { id } = await work(automation)
  await work(async em => void em.remove(await automation(em)))
  await work(em => restore(em, [Automation, id]))
  expect(await work(em => em.findOneOrFail(Automation, id))).toMatchObject({ isActive: false })
  expect((await work(em => history(em, [Automation, id] as const))).map(({ event }) => event.after?.is_active)).toEqual([
    true,
    undefined,
    false,
  ])
})

describe('a schedule', () => {
  const due = '2026-11-24T08:30:00Z'
  const fire = (at: string) => work(em => fireSchedules(em, new Date(at)))
  const nextAt = async () => (await work(trigger)).nextFireAt?.toISOString()
  beforeEach(async () => {
    await make()
    const config = { cron: '30 9 * * *', timeZone: 'Europe/Berlin' }
    await work(async em => void addTrigger(em, await automation(em), { type: 'SCHEDULE', config }, new Date('2026-11-23T10:00:00Z')))
  })
  afterEach(() => void vi.useRealTimers())

  test('whose firing is reverted is due once more, starts nothing, and goes on', async () => {
    await fire(due)
    await work(async em => revert(em, (await history(em, await trigger(em))).at(-1)!.event))
    expect(await nextAt()).toBe('2026-11-24T08:30:00.000Z')
    expect(await fire(due)).toBe(1)
    expect(await fire(due)).toBe(0)
    expect(await nextAt()).toBe('2026-11-25T08:30:00.000Z')
    expect(await work(em => em.count(WorkflowExecution))).toBe(1)
  })

  test('doesn’t make up for what it missed while it was off', async () => {
    const set = (isActive: boolean) => work(async em => void ((await trigger(em)).isActive = isActive))
    await set(false)
    await fire('2026-11-27T14:00:00Z')
    vi.useFakeTimers({ toFake: ['Date'], now: new Date('2026-11-27T15:00:00Z') })
    await set(true)
    expect(await nextAt()).toBe('2026-11-28T08:30:00.000Z')
    expect(await fire('2026-11-27T15:00:00Z')).toBe(0)
    expect(await work(em => em.count(WorkflowExecution))).toBe(0)
  })

  test('doesn’t make up for what it missed while it was deleted', async () => {
    const everySecond = { type: 'SCHEDULE', config: { cron: '* * * * * *' } } as const
    const { id } = await work(async em => addTrigger(em, await automation(em), everySecond, afterMs(-10_000)))
    await work(async em => void em.remove(await em.findOneOrFail(WorkflowTrigger, id)))
    await work(em => restore(em, [WorkflowTrigger, id]))
    const again = afterMs(0)
    await fire(again.toISOString())
    expect(await work(em => em.count(WorkflowExecution, { trigger: id }))).toBe(0)
    const { nextFireAt } = await work(em => em.findOneOrFail(WorkflowTrigger, id))
    expect(nextFireAt!.getTime()).toBeGreaterThan(again.getTime())
    await fire(nextFireAt!.toISOString())
    expect(await work(em => em.count(WorkflowExecution, { trigger: id }))).toBe(1)
  })
})
