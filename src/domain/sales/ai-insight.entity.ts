import { type EntitySchema, type Opt, p, type Ref } from '@mikro-orm/core'
import { nextState, type Transitions } from '../../kernel/transitions.ts'
import { moment, tenantEntity, TenantRow } from '../../orm/index.ts'
import { User } from '../identity/index.ts'

export const insightStatuses = ['NEW', 'ACCEPTED', 'DISMISSED'] as const
export type InsightStatus = (typeof insightStatuses)[number]

export const insightTransitions: Transitions<InsightStatus> = {
  NEW: ['ACCEPTED', 'DISMISSED'],
  ACCEPTED: [],
  DISMISSED: [],
}

/** What a model believes about something, until somebody agrees or doesn't. The subject is in the words of the log: `prospect`. */
export class AIInsight extends TenantRow {
  declare subjectType: string
  declare subjectId: string
  declare kind: string
  declare title: string
  declare body: string
  /** From 0 to 1. */
  declare confidence: number
  declare status: Opt<InsightStatus>
  declare model: string
  /** Null also where no person judged it; the decision in the log says who did. */
  declare decidedBy?: Ref<User> | null
  declare decidedAt?: Date | null
  declare reason?: string | null
  declare version: Opt<number>

  judge(status: Exclude<InsightStatus, 'NEW'>, reason: string, at: Date, decidedBy: Ref<User> | null = null): void {
    this.status = nextState('An insight', insightTransitions, this.status, status)
    Object.assign(this, { reason, decidedAt: at, decidedBy })
  }
}

export const AIInsightSchema: EntitySchema<AIInsight> = tenantEntity({
  class: AIInsight,
  tableName: 'ai_insight',
  properties: {
    subjectType: p.text(),
    subjectId: p.uuid(),
    kind: p.text(),
    title: p.text(),
    body: p.text(),
    confidence: p.decimal('number').precision(4).scale(3),
    status: p.enum(insightStatuses).default('NEW'),
    model: p.text(),
    decidedBy: () => p.manyToOne(User).ref().nullable(),
    decidedAt: moment().nullable(),
    reason: p.text().nullable(),
    version: p.integer().version(),
  },
  indexes: [{ properties: ['subjectType', 'subjectId', 'status'] }, { properties: ['status', 'createdAt'] }],
  checks: [
    { name: 'ai_insight_confidence', expression: 'confidence >= 0 and confidence <= 1' },
    { name: 'ai_insight_judged', expression: `(status = 'NEW') = (decided_at is null) and (status = 'NEW') = (reason is null)` },
  ],
  immutable: ['subjectType', 'subjectId', 'kind', 'model'],
  // Whatever it is about is a person to the log: what is believed of a prospect goes with them. The reason is the judgement's, and a decision.
  audit: { personal: ['title', 'body'], person: 'subjectId' },
})
