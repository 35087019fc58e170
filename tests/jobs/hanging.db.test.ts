import { afterAll, beforeAll, expect, test } from 'vitest'
import { systemActor } from '../../src/context/index.ts'
import { JobRun, Organization } from '../../src/entities.ts'
import { type Job, runJob } from '../../src/jobs/index.ts'
import type { Daybook } from '../../src/orm/index.ts'
import { openTestDaybook } from '../../src/testing/index.ts'

/** More than have their turn at once. */
const many = 8
let daybook: Daybook
let tenants: string[]

const operator = { kind: 'operator', actor: systemActor('test'), reason: 'a test' } as const

beforeAll(async () => {
  daybook = await openTestDaybook()
  tenants = await daybook.transact(operator, async em =>
    Array.from({ length: many }, (_none, n) => em.create(Organization, { name: `Number ${n}`, slug: `number-${n}` }).id).toSorted(),
  )
})
afterAll(() => daybook.close())

/** Each calls somewhere; `answered` says how it ends. */
const calling = (name: string, answered: (tenant: string) => Promise<number>): Job => ({
  name,
  everyMs: 1_000,
  outsideForTenant: async ({ transact }) => answered(await transact(async em => (em.boundScope as { tenantId: string }).tenantId)),
})

test('however many tenants’ calls hang, the others have their turn, and the run tells of all', async () => {
  const lastHasItsTurn = Promise.withResolvers<void>()
  const left = new Set(tenants)
  const job = calling('hang', async tenant => {
    if (tenant === tenants.at(-1)) lastHasItsTurn.resolve()
    await lastHasItsTurn.promise
    if (tenant === tenants[1]) throw new Error('There was no answer.')
    return Number(left.delete(tenant))
  })
  expect(await runJob(daybook, job)).toMatchObject({ status: 'FAILED', processed: many - 1, failed: 1 })
  const own = await daybook.transact(operator, em => em.find(JobRun, { job: 'hang', tenantId: { $ne: null } }))
  expect(new Map(own.map(({ tenantId, error = null }) => [tenantId, error]))).toEqual(
    new Map(tenants.map(tenant => [tenant, tenant === tenants[1] ? 'There was no answer.' : null])),
  )
})
