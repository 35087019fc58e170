import { wrap } from '@mikro-orm/core'
import { decide } from '../../audit/index.ts'
import type { ScopedEntityManager } from '../../orm/index.ts'
import type { IdealCustomerProfile } from './ideal-customer-profile.entity.ts'
import { Message } from './message.entity.ts'
import type { Prospect } from './prospect.entity.ts'
import { ProfileMissingError } from './sales.errors.ts'
import { contactParts, type ProspectFacts, type Score, scoreOf } from './score-of.ts'

export interface ScoreOptions {
  /** Records the score as a decision, with what it was made from. */
  readonly asDecision?: boolean
}

/** Measures a prospect by a profile, its own unless another is named, which it then keeps. */
export async function scoreProspect(
  em: ScopedEntityManager,
  prospect: Prospect,
  icp?: IdealCustomerProfile,
  { asDecision = false }: ScoreOptions = {},
): Promise<Score> {
  const profile = icp ?? (await prospect.icp?.loadOrFail())
  if (!profile) throw new ProfileMissingError(prospect.id)
  const facts = await factsOf(em, prospect)
  const score = scoreOf(facts, profile)
  const keep = () => {
    prospect.icp = wrap(profile).toReference()
    prospect.score = score.score
    prospect.scoreBreakdown = score.breakdown
  }
  if (!asDecision) keep()
  else {
    const rationale = `By profile ${profile.name}: ${score.breakdown.map(({ name, points, of }) => `${name} ${points} of ${of}`).join(', ')}.`
    const { industry, sizeMin, sizeMax, regions, criteria, weights } = profile
    const inputs = { profile: { id: profile.id, industry, sizeMin, sizeMax, regions, criteria, weights }, facts }
    await decide(em, { type: 'prospect.score', subject: prospect, outcome: score, rationale, inputs }, async () => keep())
  }
  return score
}

async function factsOf(em: ScopedEntityManager, prospect: Prospect): Promise<ProspectFacts> {
  const { industry = null, region = null, companySize = null, data } = prospect
  const told = { prospect: prospect.id, direction: 'OUTBOUND' as const }
  const sent = await em.count(Message, { ...told, status: { $nin: ['QUEUED', 'FAILED'] } })
  const replied = await em.count(Message, { ...told, status: 'REPLIED' })
  const opened = await em.count(Message, { ...told, status: { $in: ['OPENED', 'REPLIED'] } })
  return { industry, region, companySize, data, missing: contactParts.filter(part => !prospect[part]), messages: { sent, opened, replied } }
}
