import { expect, test } from 'vitest'
import { type IssueStatus, NewsletterIssue, OrchestrationAgent } from '../../src/entities.ts'
import { restore } from '../../src/readers/index.ts'
import { useFirm } from '../setup/use-firm.ts'

const { work } = useFirm()

test.each([
  ['DRAFT', 'DRAFT'],
  ['SCHEDULED', 'DRAFT'],
  ['RUNNING', 'PAUSED'],
  ['PAUSED', 'PAUSED'],
  ['DONE', 'DONE'],
] as const)('a newsletter that was %s when it was deleted is %s when it is brought back', async (before, after) => {
  const at = new Date(Date.now() - 60_000)
  const told = { subject: 'News', body: 'Of yesterday', scheduledAt: before === 'DRAFT' ? null : at, sentAt: before === 'DONE' ? at : null }
  const id = await work(async em => em.create(NewsletterIssue, { ...told, status: before }).id)
  await work(async em => void em.remove(await em.findOneOrFail(NewsletterIssue, id)))
  await work(em => restore(em, [NewsletterIssue, id]))
  expect((await work(em => em.findOneOrFail(NewsletterIssue, id))).status).toBe<IssueStatus>(after)
})

test('an agent that was deleted and is brought back decides nothing until somebody activates it', async () => {
  const id = await work(async em => em.create(OrchestrationAgent, { name: 'Ada', instructions: 'Help' }).id)
  await work(async em => void em.remove(await em.findOneOrFail(OrchestrationAgent, id)))
  await work(em => restore(em, [OrchestrationAgent, id]))
  expect((await work(em => em.findOneOrFail(OrchestrationAgent, id))).isActive).toBe(false)
})
