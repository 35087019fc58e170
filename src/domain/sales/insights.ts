import { decide } from '../../audit/index.ts'
import { now } from '../../kernel/clock.ts'
import { inTurn, lockedAfresh, type ScopedEntityManager } from '../../orm/index.ts'
import { User } from '../identity/index.ts'
import { AIInsight, type InsightStatus } from './ai-insight.entity.ts'

export interface Judgement {
  readonly reason: string
  readonly at?: Date
}

/** Agrees with an insight, which is a decision about it. */
export function acceptInsight(em: ScopedEntityManager, insight: AIInsight, judgement: Judgement): Promise<void> {
  return judge(em, insight, 'ACCEPTED', judgement)
}

export function dismissInsight(em: ScopedEntityManager, insight: AIInsight, judgement: Judgement): Promise<void> {
  return judge(em, insight, 'DISMISSED', judgement)
}

async function judge(
  em: ScopedEntityManager,
  { id }: AIInsight,
  status: Exclude<InsightStatus, 'NEW'>,
  { reason, at = now() }: Judgement,
): Promise<void> {
  await inTurn(em, async inner => {
    const insight = await lockedAfresh(inner, AIInsight, id)
    const { actor } = inner.boundScope!
    const { kind, subjectType, subjectId, model, confidence } = insight
    const inputs = { kind, subjectType, subjectId, model, confidence }
    await decide(inner, { type: 'insight.judgement', subject: insight, outcome: status, rationale: reason, inputs }, async () => {
      insight.judge(status, reason, at, actor.type === 'user' ? inner.getReference(User, actor.id, { wrapped: true }) : null)
    })
  })
}
