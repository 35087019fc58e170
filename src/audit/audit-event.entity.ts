import { defineEntity, type EntitySchema, p } from '@mikro-orm/core'
import { currentTenantSql, currentUserSql, declareEntity } from '../orm/index.ts'
import { RecordedJson } from './recorded-json.ts'

export type EventKind = 'activity' | 'decision'
export type EventSource = 'unit-of-work' | 'database'

/** One entry of the log. It is written by flushes and triggers alone, and never changes. */
export class AuditEvent {
  /** The order in which events were written; a position in the log. */
  declare seq: number
  declare id: string
  declare recordedAt: Date
  /** Whose log it belongs to: a tenant's, or a person's own. */
  declare tenantId: string
  declare kind: EventKind
  /** `task.created`, `task.updated`, `task.tags-changed`, `decision.made`, `auth.signed-in`. */
  declare type: string
  declare entity?: string | null
  declare entityId?: string | null
  declare entityVersion?: number | null
  declare schemaVersion: number
  declare source: EventSource
  declare actorType: string
  declare actorId: string
  declare requestId?: string | null
  declare correlationId?: string | null
  declare causationId?: string | null
  declare decisionId?: string | null
  declare reason?: string | null
  /** Columns that changed; inside a document, the path. */
  declare changed?: string[] | null
  declare before?: Record<string, unknown> | null
  declare after?: Record<string, unknown> | null
}

const properties = {
  seq: p.bigint('number'),
  id: p.uuid().primary(),
  recordedAt: p.datetime(),
  tenantId: p.uuid(),
  kind: p.text(),
  type: p.text(),
  entity: p.text().nullable(),
  entityId: p.uuid().nullable(),
  entityVersion: p.integer().nullable(),
  schemaVersion: p.integer(),
  source: p.text(),
  actorType: p.text(),
  actorId: p.text(),
  requestId: p.text().nullable(),
  correlationId: p.text().nullable(),
  causationId: p.text().nullable(),
  decisionId: p.uuid().nullable(),
  reason: p.text().nullable(),
  changed: p
    .array()
    .nullable()
    .formula(event => `daybook_changed(${event.changed}, ${event.before}, ${event.after})`),
  before: p.type(RecordedJson).nullable(),
  after: p.type(RecordedJson).nullable(),
}

const ownLog = `tenant_id = ${currentTenantSql} or tenant_id = ${currentUserSql}`

export const AuditEventSchema: EntitySchema<AuditEvent> = recorded(AuditEvent, 'audit_event')

/** What changed: the events of rows and of what people did. */
export class ActivityLog extends AuditEvent {}
export const ActivityLogSchema: EntitySchema<ActivityLog> = recorded(ActivityLog, 'activity_log')

/** What was decided, by whom and why. */
export class DecisionLog extends AuditEvent {}
export const DecisionLogSchema: EntitySchema<DecisionLog> = recorded(DecisionLog, 'decision_log')

/** The table and its views are made by a migration; the ORM only reads them. */
function recorded<T extends AuditEvent>(type: new () => T, tableName: string): EntitySchema<T> {
  const isTable = tableName === 'audit_event'
  const access = isTable ? 'append' : 'read'
  declareEntity(type, { belongsTo: 'global', access, immutable: [], audit: false, madeByMigration: isTable ? 'table' : 'view' })
  const guarded = isTable ? { policies: [{ name: 'own_log', using: ownLog, check: ownLog }], rowLevelSecurity: 'force' } : {}
  return defineEntity({ class: type, tableName, readonly: true, properties, ...guarded } as never) as unknown as EntitySchema<T>
}
