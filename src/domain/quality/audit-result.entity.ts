import { type Collection, type EntitySchema, type Opt, p, type Ref } from '@mikro-orm/core'
import { tenantEntity, TenantRow } from '../../orm/index.ts'
import { severities, type Severity } from './error-signature.entity.ts'
import { Project } from './project.entity.ts'

export const auditRunStatuses = ['SUCCESS', 'PARTIAL', 'FAILED'] as const
export type AuditRunStatus = (typeof auditRunStatuses)[number]

export const issueSuites = ['ACCESSIBILITY', 'PERFORMANCE', 'SECURITY', 'SEO'] as const
export type IssueSuite = (typeof issueSuites)[number]

/** From 0 to 100. */
export type Scores = Readonly<Partial<Record<IssueSuite, number>>>
export type Totals = Readonly<Partial<Record<Severity, number>>>

/** What one look at one page found. */
export class AuditResult extends TenantRow {
  declare project: Ref<Project>
  declare url: string
  declare environment: Opt<string>
  declare device: Opt<string>
  declare scores: Scores
  declare totals: Totals
  declare status: AuditRunStatus
  declare durationMs: number
  declare issues: Collection<AuditIssue>
}

export const AuditResultSchema: EntitySchema<AuditResult> = tenantEntity({
  class: AuditResult,
  properties: {
    project: () => p.manyToOne(Project).ref(),
    url: p.text(),
    environment: p.text().default('production'),
    device: p.text().default('desktop'),
    scores: p.json<Scores>(),
    totals: p.json<Totals>(),
    status: p.enum(auditRunStatuses),
    durationMs: p.integer(),
    issues: () => p.oneToMany(AuditIssue).mappedBy('result'),
  },
  indexes: [{ properties: ['project', 'createdAt'] }],
  checks: [{ name: 'audit_result_duration', expression: 'duration_ms >= 0' }],
})

export class AuditIssue extends TenantRow {
  declare result: Ref<AuditResult>
  declare suite: IssueSuite
  declare severity: Severity
  declare message: string
  declare selector?: string | null
  declare recommendation?: string | null
}

export const AuditIssueSchema: EntitySchema<AuditIssue> = tenantEntity({
  class: AuditIssue,
  properties: {
    result: () => p.manyToOne(AuditResult).ref().deleteRule('cascade'),
    suite: p.enum(issueSuites),
    severity: p.enum(severities),
    message: p.text(),
    selector: p.text().nullable(),
    recommendation: p.text().nullable(),
  },
  indexes: [{ properties: ['result', 'suite'] }],
})
