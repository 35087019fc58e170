/** The write side of the log: what changed, who did it and why, in the same transaction as the change or not at all. */
export { auditedTableOf } from './audited-table.ts'
export { AuditCapture } from './capture.ts'
export { columnPropertiesOf } from './recorded-fields.ts'
export { addSentinels } from './sentinel.ts'
