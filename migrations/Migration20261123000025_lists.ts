import { Migration } from '@mikro-orm/migrations'

/**
 * What services take for a list is one, whoever writes it: a document of another shape stopped all that is told to an organization's endpoints. Each
 * table is locked while its rows are read once; where one has such a row this fails, and names the constraint.
 */
export class Migration20261123000025_lists extends Migration {
  override up(): void {
    this.addSql(`alter table "agent_decision" add constraint "agent_decision_actions_list" check (jsonb_typeof(actions) = 'array');`)
    this.addSql(`alter table "orchestration_agent" add constraint "orchestration_agent_tools_list" check (jsonb_typeof(tools) = 'array');`)
    this.addSql(`alter table "prospect" add constraint "prospect_score_breakdown_list" check (jsonb_typeof(score_breakdown) = 'array');`)
    this.addSql(
      `alter table "scheduling_agent_task" add constraint "scheduling_agent_task_proposals_list" check (jsonb_typeof(proposals) = 'array');`,
    )
    this.addSql(
      `alter table "scheduling_event" add constraint "scheduling_event_attendees_list" check (jsonb_typeof(attendees) = 'array');`,
    )
    this.addSql(
      `alter table "webhook_endpoint" add constraint "webhook_endpoint_secret_refs_list" check (jsonb_typeof(secret_refs) = 'array');`,
    )
    this.addSql(`alter table "webhook_endpoint" add constraint "webhook_endpoint_events_list" check (jsonb_typeof(events) = 'array');`)
  }

  override down(): void {
    this.addSql(`alter table "agent_decision" drop constraint "agent_decision_actions_list";`)
    this.addSql(`alter table "orchestration_agent" drop constraint "orchestration_agent_tools_list";`)
    this.addSql(`alter table "prospect" drop constraint "prospect_score_breakdown_list";`)
    this.addSql(`alter table "scheduling_agent_task" drop constraint "scheduling_agent_task_proposals_list";`)
    this.addSql(`alter table "scheduling_event" drop constraint "scheduling_event_attendees_list";`)
    this.addSql(`alter table "webhook_endpoint" drop constraint "webhook_endpoint_secret_refs_list";`)
    this.addSql(`alter table "webhook_endpoint" drop constraint "webhook_endpoint_events_list";`)
  }
}
