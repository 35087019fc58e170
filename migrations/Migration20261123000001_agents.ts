import { Migration } from '@mikro-orm/migrations'

/** Providers of models, agents that ask them, and what these decide. */
export class Migration20261123000001_agents extends Migration {
  override up(): void {
    this.addSql(
      `create table "ai_provider_config" ("id" uuid not null, "created_at" timestamptz(3) not null default now(), "updated_at" timestamptz(3) not null default now(), "tenant_id" uuid not null, "name" text not null, "provider" text not null, "model" text not null, "secret_ref" text null, "base_url" text null, "is_default" boolean not null default false, "monthly_token_limit" bigint null, "version" int not null default 1, primary key ("id"));`,
    )
    this.addSql(`alter table "ai_provider_config" add constraint "ai_provider_config_tenant_id_name_unique" unique ("tenant_id", "name");`)
    this.addSql(
      `create unique index "ai_provider_config_one_default" on "ai_provider_config" ("tenant_id", "is_default") where is_default;`,
    )
    this.addSql(
      `create table "orchestration_agent" ("id" uuid not null, "created_at" timestamptz(3) not null default now(), "updated_at" timestamptz(3) not null default now(), "tenant_id" uuid not null, "name" text not null, "instructions" text not null, "provider_config_id" uuid null, "temperature" numeric(3,2) not null default 0, "tools" jsonb not null default '[]', "is_active" boolean not null default true, "rate_limit" int null, "min_confidence" numeric(4,3) not null default 0.8, "max_risk" numeric(4,3) not null default 0.5, "version" int not null default 1, primary key ("id"));`,
    )
    this.addSql(`create index "orchestration_agent_provider_config_id_index" on "orchestration_agent" ("provider_config_id");`)
    this.addSql(
      `alter table "orchestration_agent" add constraint "orchestration_agent_tenant_id_name_unique" unique ("tenant_id", "name");`,
    )
    this.addSql(
      `create table "token_count" ("id" uuid not null, "created_at" timestamptz(3) not null default now(), "updated_at" timestamptz(3) not null default now(), "tenant_id" uuid not null, "provider_id" uuid not null, "month" timestamptz(3) not null, "tokens" bigint not null default '0', primary key ("id"));`,
    )
    this.addSql(`create index "token_count_provider_id_index" on "token_count" ("provider_id");`)
    this.addSql(
      `alter table "token_count" add constraint "token_count_tenant_id_provider_id_month_unique" unique ("tenant_id", "provider_id", "month");`,
    )
    this.addSql(
      `create table "agent_decision" ("id" uuid not null, "created_at" timestamptz(3) not null default now(), "updated_at" timestamptz(3) not null default now(), "tenant_id" uuid not null, "agent_id" uuid not null, "type" text not null, "status" text not null default 'PENDING', "input_source" text not null, "input" jsonb not null, "reasoning" text not null, "actions" jsonb not null default '[]', "confidence" numeric(4,3) not null, "requires_approval" boolean not null, "approval_id" uuid null, "event_id" uuid not null, "executed_at" timestamptz(3) null, "error" text null, "version" int not null default 1, primary key ("id"));`,
    )
    this.addSql(
      `create index "agent_decision_tenant_id_agent_id_created_at_index" on "agent_decision" ("tenant_id", "agent_id", "created_at");`,
    )
    this.addSql(
      `create index "agent_decision_tenant_id_status_created_at_index" on "agent_decision" ("tenant_id", "status", "created_at");`,
    )
    this.addSql(`create index "agent_decision_agent_id_index" on "agent_decision" ("agent_id");`)
    this.addSql(`create index "agent_decision_approval_id_index" on "agent_decision" ("approval_id");`)
    this.addSql(`alter table "agent_decision" add constraint "agent_decision_tenant_id_event_id_unique" unique ("tenant_id", "event_id");`)
    this.addSql(`alter table "ai_provider_config" add constraint "ai_provider_config_limit" check (monthly_token_limit >= 0);`)
    this.addSql(
      `alter table "ai_provider_config" add constraint "ai_provider_config_address" check (base_url is not null or (provider <> 'LOCAL' and provider <> 'OTHER'));`,
    )
    this.addSql(
      `alter table "ai_provider_config" add constraint "ai_provider_config_provider_check" check ("provider" in ('OPENAI', 'ANTHROPIC', 'GOOGLE', 'LOCAL', 'OTHER'));`,
    )
    this.addSql(
      `create trigger "touch" before update on "ai_provider_config" for each row when (new.updated_at is not distinct from old.updated_at and (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on')) execute function daybook_touch();`,
    )
    this.addSql(
      `create trigger "guard_identity" before update on "ai_provider_config" for each row when (new.tenant_id is distinct from old.tenant_id or new.id is distinct from old.id) execute function daybook_refuse_identity_change('tenant_id', 'id');`,
    )
    this.addSql(
      `create trigger "audit_insert" after insert on "ai_provider_config" referencing new table as new_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('ai-provider-config', 'tenant_id', 'version', '{secret_ref}');`,
    )
    this.addSql(
      `create trigger "audit_update" after update on "ai_provider_config" referencing old table as old_rows new table as new_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('ai-provider-config', 'tenant_id', 'version', '{secret_ref}');`,
    )
    this.addSql(
      `create trigger "audit_delete" after delete on "ai_provider_config" referencing old table as old_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('ai-provider-config', 'tenant_id', 'version', '{secret_ref}');`,
    )
    this.addSql(`alter table "ai_provider_config" enable row level security;`)
    this.addSql(`alter table "ai_provider_config" force row level security;`)
    this.addSql(
      `create policy "tenant" on "ai_provider_config" using (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid) with check (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid);`,
    )
    this.addSql(
      `alter table "orchestration_agent" add constraint "orchestration_agent_provider_config_id_foreign" foreign key ("provider_config_id") references "ai_provider_config" ("id") on delete set null;`,
    )
    this.addSql(
      `alter table "orchestration_agent" add constraint "orchestration_agent_temperature" check (temperature >= 0 and temperature <= 2);`,
    )
    this.addSql(`alter table "orchestration_agent" add constraint "orchestration_agent_rate" check (rate_limit > 0);`)
    this.addSql(
      `alter table "orchestration_agent" add constraint "orchestration_agent_limits" check (min_confidence >= 0 and min_confidence <= 1 and max_risk >= 0 and max_risk <= 1);`,
    )
    this.addSql(
      `create trigger "touch" before update on "orchestration_agent" for each row when (new.updated_at is not distinct from old.updated_at and (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on')) execute function daybook_touch();`,
    )
    this.addSql(
      `create trigger "guard_identity" before update on "orchestration_agent" for each row when (new.tenant_id is distinct from old.tenant_id or new.id is distinct from old.id) execute function daybook_refuse_identity_change('tenant_id', 'id');`,
    )
    this.addSql(
      `create or replace function "orchestration_agent_guard_insert_fn"() returns trigger as $$ begin if exists (select from inserted n where n.provider_config_id is not null and not exists (select from "ai_provider_config" t where t.id = n.provider_config_id and t.tenant_id = n.tenant_id)) then raise exception using errcode = '23503', table = 'orchestration_agent', constraint = 'orchestration_agent_provider_config_id_foreign', message = 'insert or update on table "orchestration_agent" violates foreign key constraint "orchestration_agent_provider_config_id_foreign"', detail = 'Key is not present in table "ai_provider_config".'; end if; return null; end; $$ language plpgsql set search_path = "public", pg_temp;`,
    )
    this.addSql(
      `create trigger "guard_insert" after insert on "orchestration_agent" referencing new table as inserted for each statement execute function "orchestration_agent_guard_insert_fn"();`,
    )
    this.addSql(
      `create or replace function "orchestration_agent_guard_update_fn"() returns trigger as $$ begin if new.provider_config_id is distinct from old.provider_config_id and new.provider_config_id is not null and not exists (select from "ai_provider_config" t where t.id = new.provider_config_id and t.tenant_id = new.tenant_id) then raise exception using errcode = '23503', table = 'orchestration_agent', constraint = 'orchestration_agent_provider_config_id_foreign', message = 'insert or update on table "orchestration_agent" violates foreign key constraint "orchestration_agent_provider_config_id_foreign"', detail = 'Key is not present in table "ai_provider_config".'; end if; return null; end; $$ language plpgsql set search_path = "public", pg_temp;`,
    )
    this.addSql(
      `create trigger "guard_update" after update on "orchestration_agent" for each row when (new.provider_config_id is distinct from old.provider_config_id) execute function "orchestration_agent_guard_update_fn"();`,
    )
    this.addSql(
      `create trigger "audit_insert" after insert on "orchestration_agent" referencing new table as new_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('orchestration-agent', 'tenant_id', 'version', '{}');`,
    )
    this.addSql(
      `create trigger "audit_update" after update on "orchestration_agent" referencing old table as old_rows new table as new_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('orchestration-agent', 'tenant_id', 'version', '{}');`,
    )
    this.addSql(
      `create trigger "audit_delete" after delete on "orchestration_agent" referencing old table as old_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('orchestration-agent', 'tenant_id', 'version', '{}');`,
    )
    this.addSql(`alter table "orchestration_agent" enable row level security;`)
    this.addSql(`alter table "orchestration_agent" force row level security;`)
    this.addSql(
      `create policy "tenant" on "orchestration_agent" using (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid) with check (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid);`,
    )
    this.addSql(
      `alter table "token_count" add constraint "token_count_provider_id_foreign" foreign key ("provider_id") references "ai_provider_config" ("id") on delete cascade;`,
    )
    this.addSql(`alter table "token_count" add constraint "token_count_tokens" check (tokens >= 0);`)
    this.addSql(
      `create trigger "touch" before update on "token_count" for each row when (new.updated_at is not distinct from old.updated_at and (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on')) execute function daybook_touch();`,
    )
    this.addSql(
      `create trigger "guard_identity" before update on "token_count" for each row when (new.tenant_id is distinct from old.tenant_id or new.id is distinct from old.id) execute function daybook_refuse_identity_change('tenant_id', 'id');`,
    )
    this.addSql(
      `create or replace function "token_count_guard_insert_fn"() returns trigger as $$ begin if exists (select from inserted n where n.provider_id is not null and not exists (select from "ai_provider_config" t where t.id = n.provider_id and t.tenant_id = n.tenant_id)) then raise exception using errcode = '23503', table = 'token_count', constraint = 'token_count_provider_id_foreign', message = 'insert or update on table "token_count" violates foreign key constraint "token_count_provider_id_foreign"', detail = 'Key is not present in table "ai_provider_config".'; end if; return null; end; $$ language plpgsql set search_path = "public", pg_temp;`,
    )
    this.addSql(
      `create trigger "guard_insert" after insert on "token_count" referencing new table as inserted for each statement execute function "token_count_guard_insert_fn"();`,
    )
    this.addSql(
      `create or replace function "token_count_guard_update_fn"() returns trigger as $$ begin if new.provider_id is distinct from old.provider_id and new.provider_id is not null and not exists (select from "ai_provider_config" t where t.id = new.provider_id and t.tenant_id = new.tenant_id) then raise exception using errcode = '23503', table = 'token_count', constraint = 'token_count_provider_id_foreign', message = 'insert or update on table "token_count" violates foreign key constraint "token_count_provider_id_foreign"', detail = 'Key is not present in table "ai_provider_config".'; end if; return null; end; $$ language plpgsql set search_path = "public", pg_temp;`,
    )
    this.addSql(
      `create trigger "guard_update" after update on "token_count" for each row when (new.provider_id is distinct from old.provider_id) execute function "token_count_guard_update_fn"();`,
    )
    this.addSql(`alter table "token_count" enable row level security;`)
    this.addSql(`alter table "token_count" force row level security;`)
    this.addSql(
      `create policy "tenant" on "token_count" using (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid) with check (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid);`,
    )
    this.addSql(
      `alter table "agent_decision" add constraint "agent_decision_agent_id_foreign" foreign key ("agent_id") references "orchestration_agent" ("id");`,
    )
    this.addSql(
      `alter table "agent_decision" add constraint "agent_decision_approval_id_foreign" foreign key ("approval_id") references "approval_item" ("id") on delete restrict;`,
    )
    this.addSql(`alter table "agent_decision" add constraint "agent_decision_confidence" check (confidence >= 0 and confidence <= 1);`)
    this.addSql(
      `alter table "agent_decision" add constraint "agent_decision_executed" check ((status = 'EXECUTED') = (executed_at is not null));`,
    )
    this.addSql(
      `alter table "agent_decision" add constraint "agent_decision_approval" check (requires_approval = (approval_id is not null));`,
    )
    this.addSql(
      `alter table "agent_decision" add constraint "agent_decision_status_check" check ("status" in ('PENDING', 'REQUIRES_APPROVAL', 'EXECUTED', 'REJECTED', 'FAILED'));`,
    )
    this.addSql(
      `create trigger "touch" before update on "agent_decision" for each row when (new.updated_at is not distinct from old.updated_at and (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on')) execute function daybook_touch();`,
    )
    this.addSql(
      `create trigger "guard_identity" before update on "agent_decision" for each row when (new.tenant_id is distinct from old.tenant_id or new.id is distinct from old.id or new.agent_id is distinct from old.agent_id or new.type is distinct from old.type or new.input_source is distinct from old.input_source or new.input is distinct from old.input or new.reasoning is distinct from old.reasoning or new.actions is distinct from old.actions or new.confidence is distinct from old.confidence or new.requires_approval is distinct from old.requires_approval or new.event_id is distinct from old.event_id) execute function daybook_refuse_identity_change('tenant_id', 'id', 'agent_id', 'type', 'input_source', 'input', 'reasoning', 'actions', 'confidence', 'requires_approval', 'event_id');`,
    )
    this.addSql(
      `create or replace function "agent_decision_guard_insert_fn"() returns trigger as $$ begin if exists (select from inserted n where n.agent_id is not null and not exists (select from "orchestration_agent" t where t.id = n.agent_id and t.tenant_id = n.tenant_id)) then raise exception using errcode = '23503', table = 'agent_decision', constraint = 'agent_decision_agent_id_foreign', message = 'insert or update on table "agent_decision" violates foreign key constraint "agent_decision_agent_id_foreign"', detail = 'Key is not present in table "orchestration_agent".'; end if; if exists (select from inserted n where n.approval_id is not null and not exists (select from "approval_item" t where t.id = n.approval_id and t.tenant_id = n.tenant_id)) then raise exception using errcode = '23503', table = 'agent_decision', constraint = 'agent_decision_approval_id_foreign', message = 'insert or update on table "agent_decision" violates foreign key constraint "agent_decision_approval_id_foreign"', detail = 'Key is not present in table "approval_item".'; end if; return null; end; $$ language plpgsql set search_path = "public", pg_temp;`,
    )
    this.addSql(
      `create trigger "guard_insert" after insert on "agent_decision" referencing new table as inserted for each statement execute function "agent_decision_guard_insert_fn"();`,
    )
    this.addSql(
      `create or replace function "agent_decision_guard_update_fn"() returns trigger as $$ begin if new.agent_id is distinct from old.agent_id and new.agent_id is not null and not exists (select from "orchestration_agent" t where t.id = new.agent_id and t.tenant_id = new.tenant_id) then raise exception using errcode = '23503', table = 'agent_decision', constraint = 'agent_decision_agent_id_foreign', message = 'insert or update on table "agent_decision" violates foreign key constraint "agent_decision_agent_id_foreign"', detail = 'Key is not present in table "orchestration_agent".'; end if; if new.approval_id is distinct from old.approval_id and new.approval_id is not null and not exists (select from "approval_item" t where t.id = new.approval_id and t.tenant_id = new.tenant_id) then raise exception using errcode = '23503', table = 'agent_decision', constraint = 'agent_decision_approval_id_foreign', message = 'insert or update on table "agent_decision" violates foreign key constraint "agent_decision_approval_id_foreign"', detail = 'Key is not present in table "approval_item".'; end if; return null; end; $$ language plpgsql set search_path = "public", pg_temp;`,
    )
    this.addSql(
      `create trigger "guard_update" after update on "agent_decision" for each row when (new.agent_id is distinct from old.agent_id or new.approval_id is distinct from old.approval_id) execute function "agent_decision_guard_update_fn"();`,
    )
    this.addSql(
      `create trigger "audit_insert" after insert on "agent_decision" referencing new table as new_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('agent-decision', 'tenant_id', 'version', '{}');`,
    )
    this.addSql(
      `create trigger "audit_update" after update on "agent_decision" referencing old table as old_rows new table as new_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('agent-decision', 'tenant_id', 'version', '{}');`,
    )
    this.addSql(
      `create trigger "audit_delete" after delete on "agent_decision" referencing old table as old_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('agent-decision', 'tenant_id', 'version', '{}');`,
    )
    this.addSql(`alter table "agent_decision" enable row level security;`)
    this.addSql(`alter table "agent_decision" force row level security;`)
    this.addSql(
      `create policy "tenant" on "agent_decision" using (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid) with check (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid);`,
    )
  }

  override down(): void {
    this.addSql(`drop table "agent_decision";`)
    this.addSql(`drop table "token_count";`)
    this.addSql(`drop table "orchestration_agent";`)
    this.addSql(`drop table "ai_provider_config";`)
    this.addSql(`drop function "orchestration_agent_guard_insert_fn";`)
    this.addSql(`drop function "orchestration_agent_guard_update_fn";`)
    this.addSql(`drop function "token_count_guard_insert_fn";`)
    this.addSql(`drop function "token_count_guard_update_fn";`)
    this.addSql(`drop function "agent_decision_guard_insert_fn";`)
    this.addSql(`drop function "agent_decision_guard_update_fn";`)
  }
}
