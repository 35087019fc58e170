import { type EntitySchema, type Opt, p, type Ref } from '@mikro-orm/core'
import { moment, tenantEntity, TenantRow } from '../../orm/index.ts'
import { Project } from './project.entity.ts'

export const severities = ['CRITICAL', 'HIGH', 'MEDIUM', 'LOW', 'INFO'] as const
export type Severity = (typeof severities)[number]

/** One kind of error in a project, however often it was seen. */
export class ErrorSignature extends TenantRow {
  declare project: Ref<Project>
  /** SHA-256 of what makes it the same error, as canonical JSON. */
  declare hash: string
  declare detector: string
  declare severity: Severity
  declare message: string
  declare file?: string | null
  declare line?: number | null
  declare occurrences: Opt<number>
  declare firstSeenAt: Date
  declare lastSeenAt: Date
  declare resolvedAt?: Date | null

  /** Until it is seen after that. */
  resolve(at: Date): void {
    this.resolvedAt ??= at
  }
}

export const ErrorSignatureSchema: EntitySchema<ErrorSignature> = tenantEntity({
  class: ErrorSignature,
  properties: {
    project: () => p.manyToOne(Project).ref(),
    hash: p.text(),
    detector: p.text(),
    severity: p.enum(severities),
    message: p.text(),
    file: p.text().nullable(),
    line: p.integer().nullable(),
    occurrences: p.integer().default(1),
    firstSeenAt: moment(),
    lastSeenAt: moment(),
    resolvedAt: moment().nullable(),
  },
  uniques: [{ properties: ['project', 'hash'] }],
  indexes: [{ properties: ['project', 'lastSeenAt'] }],
  checks: [
    { name: 'error_signature_occurrences', expression: 'occurrences > 0' },
    { name: 'error_signature_seen', expression: 'first_seen_at <= last_seen_at' },
  ],
  immutable: ['project', 'hash', 'detector', 'message', 'file', 'line'],
})
