/** The write side of the log: what changed, who did it and why, in the same transaction as the change or not at all. */
export {
  ActivityLog,
  ActivityLogSchema,
  AuditEvent,
  AuditEventSchema,
  DecisionLog,
  DecisionLogSchema,
  type EventKind,
  type EventSource,
} from './audit-event.entity.ts'
export { auditedTableOf, entityNameOf } from './audited-table.ts'
export { OwnDecisionError, PersonKeyLockedError, ValueErasedError } from './audit.errors.ts'
export { AuditCapture, keyringOf } from './capture.ts'
export { differencesBetween, valueAt } from './changed-paths.ts'
export { countOnFrom } from './count-on.ts'
export { countUnsealedPersonal, erasePerson, sealPersonal } from './erase-person.ts'
export { isTold, rowsNaming, type RowNaming } from './rows-naming.ts'
export { type Marked, Opener } from './opener.ts'
export { decisionWords, erased } from './personal.ts'
export { columnPropertiesOf, withPropertyNames } from './recorded-fields.ts'
export { exactJson } from './recorded-json.ts'
export { addSentinels, refuseTruncating } from './sentinel.ts'
export { byDigest, decide, type Decision, type DecisionInput, endings, lapse, settle, type Settlement } from './decisions.ts'
export { openSecret, sealSecret } from './sealed-secret.ts'
export { personBehind } from './seals.ts'
export { tell, type Told } from './tell.ts'
export { because, inTransaction } from './story.ts'
