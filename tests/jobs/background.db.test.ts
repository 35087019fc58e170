import { afterAll, beforeAll, expect, test } from 'vitest'
import { systemActor } from '../../src/context/index.ts'
import { createEndpoint, Organization, Task } from '../../src/entities.ts'
import { type Job, type JobReport, startBackground } from '../../src/jobs/index.ts'
import { newId } from '../../src/kernel/id.ts'
import { Daybook, defaultLimits } from '../../src/orm/index.ts'
import { openTestDaybook } from '../../src/testing/index.ts'

let daybook: Daybook
beforeAll(async () => {
  daybook = await openTestDaybook()
})
afterAll(() => daybook.close())

const onError = (error: unknown, doing: string) => {
  throw new Error(`${doing} failed`, { cause: error })
}

test('one call starts all that nobody asks for: what happened is told to an endpoint, and own jobs are done', async () => {
  const tenant = newId()
  const told: string[] = []
  const mine: Job = { name: 'mine', everyMs: 100, forPlatform: () => Promise.resolve(0) }
  await daybook.transact({ tenant, actor: systemActor('clerk') }, async em => {
    em.create(Organization, { id: tenant, name: 'Firm', slug: `firm-${tenant}` })
    await createEndpoint(em, { url: 'https://example.com', events: ['task.*'] })
  })
  await daybook.transact({ tenant, actor: systemActor('clerk') }, async em => void em.create(Task, { title: 'Fire' }))
  const reports: string[] = []
  const post = async ({ body }: { readonly body: string }) => {
    told.push(body)
    return { status: 200, body: '' }
  }
  const onReport = ({ job }: JobReport) => void reports.push(job)
  const background = startBackground(daybook, { jobs: [mine], post, pollMs: 10, onReport, onError })
  await expect.poll(() => told.length, { timeout: 25_000 }).toBe(1)
  await expect.poll(() => reports, { timeout: 25_000 }).toContain('mine')
  await background[Symbol.asyncDispose]()
  expect(told[0]).toContain('Fire')
  const stopped = reports.length
  await new Promise(resolve => setTimeout(resolve, 300))
  expect(reports).toHaveLength(stopped)
})

test('on a server without the operator’s connection it is refused at once, and not by each job', () => {
  const served = new Daybook({ orm: daybook.orm, limits: defaultLimits, embedded: false })
  expect(served.hasOperator).toBe(false)
  expect(() => startBackground(served, { onError })).toThrow(/OPERATOR_URL/)
  expect(daybook.hasOperator).toBe(true)
})
