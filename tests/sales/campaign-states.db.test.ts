import { beforeEach, expect, test } from 'vitest'
import { Campaign, type CampaignStatus, EmailSequence } from '../../src/entities.ts'
import { restore } from '../../src/readers/index.ts'
import { useFirm } from '../setup/use-firm.ts'

const { work } = useFirm()
let sequence: string
let campaign: string

beforeEach(async () => {
  sequence = await work(async em => em.create(EmailSequence, { name: 'Three' }).id)
  campaign = await work(async em => em.create(Campaign, { name: 'Autumn', sequence, status: 'RUNNING' }).id)
})

test.each([
  ['RUNNING', 'PAUSED'],
  ['SCHEDULED', 'DRAFT'],
  ['DONE', 'DONE'],
] as const)('a campaign that was %s when it was deleted is %s when it is brought back', async (before, after) => {
  const id = await work(async em => em.create(Campaign, { name: 'Gone', sequence, status: before, startsAt: new Date() }).id)
  await work(async em => void em.remove(await em.findOneOrFail(Campaign, id)))
  await work(em => restore(em, [Campaign, id]))
  expect((await work(em => em.findOneOrFail(Campaign, id))).status).toBe<CampaignStatus>(after)
})

test('a campaign keeps its sequence while it runs, whoever would change it', async () => {
  const other = await work(async em => em.create(EmailSequence, { name: 'Other' }).id)
  const change = () => work(em => em.nativeUpdate(Campaign, { id: campaign }, { sequence: other }))
  await expect(change()).rejects.toMatchObject({ constraint: 'campaign_sequence_stays' })
  await work(async em => (await em.findOneOrFail(Campaign, campaign)).pause())
  expect(await change()).toBe(1)
})
