import { type EntitySchema, type Opt, p, type Ref } from '@mikro-orm/core'
import type { ActorType } from '../../context/index.ts'
import { moment, tenantEntity, TenantRow } from '../../orm/index.ts'
import { User } from '../identity/index.ts'
import { ApprovalStateError } from './work.errors.ts'

export const approvalStatuses = ['PENDING', 'APPROVED', 'REJECTED', 'EXPIRED', 'AUTO_APPROVED'] as const
export type ApprovalStatus = (typeof approvalStatuses)[number]

/** A decision that waits for somebody else: what it is about, who asks and why. The decision itself stands in the log. */
export class ApprovalItem extends TenantRow {
  declare subjectType: string
  declare subjectId: string
  declare requestedByType: ActorType
  declare requestedById: string
  declare reason: string
  declare payload: Opt<Record<string, unknown>>
  declare confidence?: number | null
  declare decisionId: string
  /** Of whom its subject tells, if of anybody: the log tells it under their key. */
  declare personId?: string | null
  declare status: Opt<ApprovalStatus>
  declare decidedBy?: Ref<User> | null
  declare decidedAt?: Date | null
  declare expiresAt?: Date | null
  declare version: Opt<number>

  isOpen(at: Date): boolean {
    return this.status === 'PENDING' && !(this.expiresAt && this.expiresAt <= at)
  }

  /** Whatever happens to it happens once, and not after its time. */
  settle(status: Exclude<ApprovalStatus, 'PENDING'>, at: Date, decidedBy: Ref<User> | null = null): void {
    if (this.status !== 'PENDING') throw new ApprovalStateError(this.status, status)
    if (status !== 'EXPIRED' && !this.isOpen(at)) throw new ApprovalStateError('EXPIRED', status)
    this.status = status
    this.decidedAt = at
    this.decidedBy = decidedBy
  }
}

export const ApprovalItemSchema: EntitySchema<ApprovalItem> = tenantEntity({
  class: ApprovalItem,
  properties: {
    subjectType: p.text(),
    subjectId: p.uuid(),
    requestedByType: p.text().$type<ActorType>(),
    requestedById: p.text(),
    reason: p.text(),
    payload: p
      .json<Record<string, unknown>>()
      .onCreate(() => ({}))
      .defaultRaw(`'{}'`),
    confidence: p.decimal('number').precision(4).scale(3).nullable(),
    decisionId: p.uuid(),
    personId: p.uuid().nullable(),
    status: p.enum(approvalStatuses).default('PENDING'),
    decidedBy: () => p.manyToOne(User).ref().nullable(),
    decidedAt: moment().nullable(),
    expiresAt: moment().nullable(),
    version: p.integer().version(),
  },
  uniques: [{ properties: ['decisionId'] }],
  indexes: [{ properties: ['subjectType', 'subjectId', 'status'] }, { properties: ['status', 'expiresAt'] }],
  checks: [
    { name: 'approval_item_confidence', expression: 'confidence >= 0 and confidence <= 1' },
    { name: 'approval_item_decided', expression: `(status = 'PENDING') = (decided_at is null)` },
  ],
  immutable: ['subjectType', 'subjectId', 'requestedByType', 'requestedById', 'decisionId', 'personId'],
  audit: { personal: ['reason', 'payload'], person: 'personId' },
})
