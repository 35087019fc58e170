import { Migration } from '@mikro-orm/migrations'

/**
 * Indexes by which a planner that knows nothing of a tenant finds a row of it as soon as for any other. Statistics that were taken before a
 * tenant came say that it has none, and then every index that starts with the tenant looks as good as the right one: the whole tenant was read
 * for one row, until the table was analyzed. An index that knows both costs no more. Each table is locked against writing while its
 * indexes are built.
 */
export class Migration20261123000028_newcomers extends Migration {
  override up(): void {
    this.addSql(
      `create unique index "outbox_message_tenant_id_event_id_topic_unique" on "outbox_message" ("tenant_id", "event_id", "topic");`,
    )
    // Of indexes that cost the same the newest is taken, so the right ones come last.
    for (const table of tables) this.addSql(create(table, ['tenant_id', 'id']))
    for (const [table, column] of foreignKeys) this.addSql(create(table, [column, 'tenant_id']))
    for (const table of analyzedSooner) this.addSql(`alter table "${table}" set (autovacuum_analyze_scale_factor = 0.02);`)
    // What follows makes readers wait too.
    this.addSql(replaceUnique('outbox_message_tenant_id_topic_event_id_unique', 'outbox_message_tenant_id_event_id_topic_unique'))
    this.addSql(drop('pipeline_item', ['tenant_id']))
    for (const [table, column] of foreignKeys) this.addSql(drop(table, [column]))
  }

  override down(): void {
    this.addSql(
      `create unique index "outbox_message_tenant_id_topic_event_id_unique" on "outbox_message" ("tenant_id", "topic", "event_id");`,
    )
    this.addSql(replaceUnique('outbox_message_tenant_id_event_id_topic_unique', 'outbox_message_tenant_id_topic_event_id_unique'))
    for (const table of analyzedSooner) this.addSql(`alter table "${table}" reset (autovacuum_analyze_scale_factor);`)
    for (const [table, column] of foreignKeys) this.addSql(create(table, [column]))
    this.addSql(create('pipeline_item', ['tenant_id']))
    for (const [table, column] of foreignKeys) this.addSql(drop(table, [column, 'tenant_id']))
    for (const table of tables) this.addSql(drop(table, ['tenant_id', 'id']))
  }
}

const nameOf = (table: string, columns: readonly string[]) => `"${table}_${columns.join('_')}_index"`
const create = (table: string, columns: readonly string[]) =>
  `create index ${nameOf(table, columns)} on "${table}" (${columns.map(column => `"${column}"`).join(', ')});`
const drop = (table: string, columns: readonly string[]) => `drop index ${nameOf(table, columns)};`

/** The index of the new one is there already. */
const replaceUnique = (before: string, after: string) =>
  `alter table "outbox_message" drop constraint "${before}", add constraint "${after}" unique using index "${after}";`

/** Tables of tenants, but for those that have theirs. */
const tables = (
  'agent_decision ai_insight ai_provider_config api_key approval_item audit_booking audit_checkpoint audit_issue ' +
  'audit_result automation billing_event booking_slot calendar_connection campaign campaign_enrollment chat_message ' +
  'content_entry document document_chat document_embedding email_sequence error_signature event_reminder fix_attestation ' +
  'ideal_customer_profile idempotency_key intake_request marketplace_item marketplace_order marketplace_order_item message ' +
  'newsletter_delivery newsletter_issue newsletter_subscriber orchestration_agent order_series outbox_message pipeline ' +
  'pipeline_item pipeline_stage project prospect quota_counter role role_permission scheduling_agent_task scheduling_event ' +
  'sequence_step stray_file subscription system_setting task task_template token_count usage_day usage_event ' +
  'user_permission user_role webhook_delivery webhook_endpoint workflow_execution workflow_trigger'
).split(' ')

/** When a fiftieth has changed and not a tenth: so many rows may be a newcomer's. */
const analyzedSooner = [...tables, 'invitation', 'membership']

const foreignKeys = Object.entries({
  agent_decision: ['agent_id', 'approval_id'],
  ai_insight: ['decided_by_id'],
  api_key: ['created_by_id', 'rotated_from_id'],
  approval_item: ['decided_by_id'],
  audit_booking: ['slot_id', 'replaces_id'],
  audit_issue: ['result_id'],
  audit_result: ['project_id'],
  billing_event: ['subscription_id'],
  calendar_connection: ['user_id'],
  campaign: ['sequence_id', 'icp_id'],
  campaign_enrollment: ['campaign_id', 'prospect_id'],
  chat_message: ['chat_id', 'user_id'],
  content_entry: ['author_id'],
  document_chat: ['document_id', 'user_id'],
  document_embedding: ['document_id'],
  error_signature: ['project_id'],
  event_reminder: ['event_id'],
  fix_attestation: ['project_id', 'signature_id'],
  intake_request: ['pipeline_id', 'task_id'],
  invitation: ['role_id', 'invited_by_id'],
  marketplace_order: ['buyer_id'],
  marketplace_order_item: ['order_id', 'item_id'],
  membership: ['user_id', 'role_id', 'invited_by_id'],
  message: ['campaign_id', 'step_id', 'prospect_id', 'newsletter_issue_id'],
  newsletter_delivery: ['issue_id', 'subscriber_id'],
  orchestration_agent: ['provider_config_id'],
  outbox_message: ['event_id'],
  pipeline_item: ['pipeline_id', 'stage_id', 'task_id'],
  pipeline_stage: ['pipeline_id'],
  prospect: ['icp_id', 'owner_id'],
  role: ['parent_id'],
  role_permission: ['role_id', 'permission_id'],
  scheduling_agent_task: ['event_id'],
  scheduling_event: ['organizer_id', 'connection_id'],
  sequence_step: ['sequence_id'],
  subscription: ['plan_id'],
  system_setting: ['updated_by_id'],
  task: ['template_id', 'pipeline_id', 'stage_id', 'assignee_id', 'prospect_id'],
  token_count: ['provider_id'],
  usage_event: ['user_id', 'api_key_id'],
  user_permission: ['user_id', 'permission_id'],
  user_role: ['user_id', 'role_id'],
  webhook_delivery: ['endpoint_id'],
  workflow_execution: ['automation_id', 'trigger_id'],
  workflow_trigger: ['automation_id'],
}).flatMap(([table, columns]) => columns.map(column => [table, column] as const))
