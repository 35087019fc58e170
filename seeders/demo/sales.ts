import {
  activateSequence,
  addProspect,
  addStep,
  advanceCampaigns,
  AIInsight,
  Campaign,
  campaignStats,
  CampaignEnrollment,
  createProfile,
  EmailSequence,
  enroll,
  IdealCustomerProfile,
  Message,
  Prospect,
  type ProspectInput,
  recordDelivered,
  recordReply,
  recordSent,
  runCampaign,
  scoreProspect,
} from '../../src/entities.ts'
import { demoArea } from './demo-area.ts'
import { bySeeder, type DemoUnit } from './demo-unit.ts'
import { type InsightData, type SalesData, salesData } from './sales-data.ts'

/** Whom the organization looks for, who was found, what they are sent, and what a model makes of it. */
export const sales = demoArea('sales', salesData, async (work, data) => {
  await work.transact(async demo => {
    const icp = await demo.ensure(IdealCustomerProfile, { name: data.profile.name }, () => createProfile(demo.em, data.profile))
    for (const prospect of data.prospects) await seedProspect(demo, prospect, icp)
    for (const insight of data.insights) await seedInsight(demo, insight)
  })
  await work.transact(async demo => {
    for (const sequence of data.sequences) await seedSequence(demo, sequence)
  })
  await work.transact(demo => seedCampaign(demo, data))
})

async function seedProspect(demo: DemoUnit, input: ProspectInput, icp: IdealCustomerProfile): Promise<void> {
  const { em } = demo
  await demo.ensure(Prospect, { email: input.email }, async () => {
    const prospect = await addProspect(em, input)
    await scoreProspect(em, prospect, icp, { asDecision: true })
    if (prospect.score! >= 50) prospect.qualify()
    return prospect
  })
}

async function seedInsight(demo: DemoUnit, { about, ...insight }: InsightData): Promise<void> {
  const { em } = demo
  const { id: subjectId } = await em.findOneOrFail(Prospect, { email: about }, { ...bySeeder, filters: { live: false } })
  const { kind } = insight
  const subject = { subjectType: 'prospect', subjectId }
  await demo.ensure(AIInsight, { ...subject, kind }, () => em.create(AIInsight, { ...insight, ...subject }))
}

async function seedSequence(demo: DemoUnit, { name, locale, steps }: SalesData['sequences'][number]): Promise<void> {
  const { em } = demo
  const make = async () => {
    const sequence = em.create(EmailSequence, { name, locale })
    await em.flush()
    for (const step of steps) await addStep(em, sequence, step)
    await activateSequence(em, sequence)
    return sequence
  }
  await demo.ensure(EmailSequence, { name }, make, { SequenceStep: steps.length })
}

/** The first message of the sequence has gone out. It is paused, so that nothing more is queued by itself. */
async function seedCampaign(demo: DemoUnit, { campaign: told, prospects, sequences }: SalesData): Promise<void> {
  const { em } = demo
  const { name, repliedBy, reply } = told
  const { locale } = sequences.find(sequence => sequence.name === told.sequence)!
  const addressed = prospects.filter(prospect => prospect.locale === locale).map(({ email }) => email)
  const make = async () => {
    const sequence = await em.findOneOrFail(EmailSequence, { name: told.sequence })
    const campaign = em.create(Campaign, { name, sequence })
    await runCampaign(em, campaign)
    await enroll(em, campaign, await em.find(Prospect, { email: { $in: addressed } }, { orderBy: { id: 'asc' } }))
    await advanceCampaigns(em)
    for (const message of await em.find(Message, { campaign }, { orderBy: { id: 'asc' }, populate: ['prospect'] })) {
      await recordDelivered(em, await recordSent(em, message))
      if (message.prospect?.getEntity().email === repliedBy) await recordReply(em, message, undefined, reply)
    }
    await campaignStats(em, campaign)
    campaign.pause()
    return campaign
  }
  await demo.ensure(Campaign, { name }, make, { [CampaignEnrollment.name]: addressed.length, [Message.name]: addressed.length + 1 })
}
