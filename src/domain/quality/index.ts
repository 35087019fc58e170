/**
 * Quality: what is wrong with code and pages, and that it was mended. Errors that are the same merge into one signature by the hash of what
 * makes them so; fixes are attested in a chain in which each link holds the hash of the one before, so that nobody can take one out; audits
 * of pages keep their issues.
 */
export { attestFix, type ChainReport, type FixInput, verifyAttestations } from './attest-fix.ts'
export {
  AuditIssue,
  AuditIssueSchema,
  AuditResult,
  AuditResultSchema,
  type AuditRunStatus,
  auditRunStatuses,
  type IssueSuite,
  issueSuites,
  type Scores,
  type Totals,
} from './audit-result.entity.ts'
export { ErrorSignature, ErrorSignatureSchema, severities, type Severity } from './error-signature.entity.ts'
export { FixAttestation, FixAttestationSchema, type FixStatus, fixStatuses } from './fix-attestation.entity.ts'
export { Project, ProjectSchema, type ProjectStatus, projectStatuses, projectTransitions } from './project.entity.ts'
export { ProjectInactiveError, SignatureElsewhereError } from './quality.errors.ts'
export { type AuditInput, recordAudit } from './record-audit.ts'
export { reportError, type ReportedError, signatureOf } from './report-error.ts'
