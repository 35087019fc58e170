import type { ScopedEntityManager } from '../../orm/index.ts'
import { AuditIssue, AuditResult, type AuditRunStatus, type IssueSuite, type Scores, type Totals } from './audit-result.entity.ts'
import { severities, type Severity } from './error-signature.entity.ts'
import type { Project } from './project.entity.ts'

export interface AuditInput {
  readonly url: string
  readonly environment?: string
  readonly device?: string
  readonly scores: Scores
  readonly status: AuditRunStatus
  readonly durationMs: number
  readonly issues: readonly {
    readonly suite: IssueSuite
    readonly severity: Severity
    readonly message: string
    readonly selector?: string
    readonly recommendation?: string
  }[]
}

/** A result with its issues; the totals are counted, so they can't say something else. */
export function recordAudit(em: ScopedEntityManager, project: Project, { issues, ...input }: AuditInput): AuditResult {
  project.requireActive()
  const result = em.create(AuditResult, { ...input, project, totals: totalsOf(issues) })
  for (const issue of issues) em.create(AuditIssue, { ...issue, result })
  return result
}

function totalsOf(issues: AuditInput['issues']): Totals {
  const counts = severities.map(severity => [severity, issues.filter(issue => issue.severity === severity).length] as const)
  return Object.fromEntries(counts.filter(([, count]) => count > 0))
}
