import { canonicalJson } from '../../kernel/canonical-json.ts'
import { now } from '../../kernel/clock.ts'
import { newId } from '../../kernel/id.ts'
import { digest } from '../../kernel/secret.ts'
import { inTurn, type ScopedEntityManager } from '../../orm/index.ts'
import { ErrorSignature, type Severity } from './error-signature.entity.ts'
import type { Project } from './project.entity.ts'

export interface ReportedError {
  readonly detector: string
  readonly severity: Severity
  readonly message: string
  readonly file?: string
  readonly line?: number
}

/** What makes two errors the same. How bad somebody thinks it is doesn't. */
export function signatureOf({ detector, message, file, line }: ReportedError): string {
  return digest(canonicalJson({ detector, message, file: file ?? null, line: line ?? null }))
}

/**
 * Counts an error where it is known, and makes it known where it isn't, in one statement: any number of reports at once make one row. One that
 * was resolved is open again, unless it was seen before that and the report comes late; how bad it is says whoever saw it last.
 */
export async function reportError(
  em: ScopedEntityManager,
  project: Project,
  error: ReportedError,
  at: Date = now(),
): Promise<ErrorSignature> {
  project.requireActive()
  const { detector, severity, message, file = null, line = null } = error
  const hash = signatureOf(error)
  const id = newId()
  const writtenAt = now()
  return inTurn(em, async inner => {
    await inner.execute(
      `insert into error_signature as s (id, tenant_id, project_id, hash, detector, severity, message, file, line, first_seen_at, last_seen_at,
         created_at, updated_at)
       values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
       on conflict (tenant_id, project_id, hash) do update set occurrences = s.occurrences + 1,
         severity = case when excluded.last_seen_at < s.last_seen_at then s.severity else excluded.severity end,
         first_seen_at = least(s.first_seen_at, excluded.first_seen_at), last_seen_at = greatest(s.last_seen_at, excluded.last_seen_at),
         resolved_at = case when excluded.last_seen_at < s.resolved_at then s.resolved_at end, updated_at = excluded.updated_at`,
      [id, project.tenantId, project.id, hash, detector, severity, message, file, line, at, at, writtenAt, writtenAt],
    )
    return inner.findOneOrFail(ErrorSignature, { project, hash }, { refresh: true })
  })
}
