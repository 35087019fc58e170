import { Migration } from '@mikro-orm/migrations'

/** Automations, what starts them, and their runs. */
export class Migration20261123000002_automation extends Migration {
  override up(): void {
    this.addSql(
      `create table "automation" ("id" uuid not null, "created_at" timestamptz(3) not null default now(), "updated_at" timestamptz(3) not null default now(), "tenant_id" uuid not null, "name" text not null, "external_system" text null, "external_workflow_id" text null, "is_active" boolean not null default true, "definition" jsonb not null, "webhook_secret_ref" text null, "max_attempts" int not null default 3, "timeout_ms" int not null default 30000, "version" int not null default 1, primary key ("id"));`,
    )
    this.addSql(`alter table "automation" add constraint "automation_tenant_id_name_unique" unique ("tenant_id", "name");`)
    this.addSql(
      `alter table "automation" add constraint "automation_tenant_id_external_system_external_wor_06ebc_unique" unique ("tenant_id", "external_system", "external_workflow_id");`,
    )
    this.addSql(
      `create table "workflow_trigger" ("id" uuid not null, "created_at" timestamptz(3) not null default now(), "updated_at" timestamptz(3) not null default now(), "tenant_id" uuid not null, "automation_id" uuid not null, "type" text not null, "config" jsonb not null default '{}', "is_active" boolean not null default true, "last_fired_at" timestamptz(3) null, "next_fire_at" timestamptz(3) null, primary key ("id"));`,
    )
    this.addSql(`create index "workflow_trigger_tenant_id_type_is_active_index" on "workflow_trigger" ("tenant_id", "type", "is_active");`)
    this.addSql(`create index "workflow_trigger_tenant_id_next_fire_at_index" on "workflow_trigger" ("tenant_id", "next_fire_at");`)
    this.addSql(`create index "workflow_trigger_automation_id_index" on "workflow_trigger" ("automation_id");`)
    this.addSql(
      `create table "workflow_execution" ("id" uuid not null, "created_at" timestamptz(3) not null default now(), "updated_at" timestamptz(3) not null default now(), "tenant_id" uuid not null, "automation_id" uuid not null, "trigger_id" uuid null, "key" text null, "status" text not null default 'QUEUED', "input" jsonb not null default '{}', "output" jsonb null, "error" text null, "attempt" int not null default 0, "max_attempts" int not null, "next_attempt_at" timestamptz(3) not null, "lease_until" timestamptz(3) null, "started_at" timestamptz(3) null, "finished_at" timestamptz(3) null, "duration_ms" int null, primary key ("id"));`,
    )
    this.addSql(
      `create index "workflow_execution_tenant_id_status_next_attempt_at_index" on "workflow_execution" ("tenant_id", "status", "next_attempt_at");`,
    )
    this.addSql(
      `create index "workflow_execution_tenant_id_status_lease_until_index" on "workflow_execution" ("tenant_id", "status", "lease_until");`,
    )
    this.addSql(`create index "workflow_execution_automation_id_index" on "workflow_execution" ("automation_id");`)
    this.addSql(`create index "workflow_execution_trigger_id_index" on "workflow_execution" ("trigger_id");`)
    this.addSql(
      `alter table "workflow_execution" add constraint "workflow_execution_tenant_id_automation_id_key_unique" unique ("tenant_id", "automation_id", "key");`,
    )
    this.addSql(
      `alter table "automation" add constraint "automation_external" check (external_workflow_id is null or external_system is not null);`,
    )
    this.addSql(`alter table "automation" add constraint "automation_attempts" check (max_attempts >= 1 and max_attempts <= 20);`)
    this.addSql(`alter table "automation" add constraint "automation_timeout" check (timeout_ms >= 100 and timeout_ms <= 600000);`)
    this.addSql(
      `create trigger "touch" before update on "automation" for each row when (new.updated_at is not distinct from old.updated_at and (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on')) execute function daybook_touch();`,
    )
    this.addSql(
      `create trigger "guard_identity" before update on "automation" for each row when (new.tenant_id is distinct from old.tenant_id or new.id is distinct from old.id) execute function daybook_refuse_identity_change('tenant_id', 'id');`,
    )
    this.addSql(
      `create trigger "audit_insert" after insert on "automation" referencing new table as new_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('automation', 'tenant_id', 'version', '{webhook_secret_ref}');`,
    )
    this.addSql(
      `create trigger "audit_update" after update on "automation" referencing old table as old_rows new table as new_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('automation', 'tenant_id', 'version', '{webhook_secret_ref}');`,
    )
    this.addSql(
      `create trigger "audit_delete" after delete on "automation" referencing old table as old_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('automation', 'tenant_id', 'version', '{webhook_secret_ref}');`,
    )
    this.addSql(`alter table "automation" enable row level security;`)
    this.addSql(`alter table "automation" force row level security;`)
    this.addSql(
      `create policy "tenant" on "automation" using (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid) with check (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid);`,
    )
    this.addSql(
      `alter table "workflow_trigger" add constraint "workflow_trigger_automation_id_foreign" foreign key ("automation_id") references "automation" ("id") on delete cascade;`,
    )
    this.addSql(
      `alter table "workflow_trigger" add constraint "workflow_trigger_type_check" check ("type" in ('WEBHOOK', 'SCHEDULE', 'EVENT', 'MANUAL', 'API'));`,
    )
    this.addSql(
      `create trigger "touch" before update on "workflow_trigger" for each row when (new.updated_at is not distinct from old.updated_at and (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on')) execute function daybook_touch();`,
    )
    this.addSql(
      `create trigger "guard_identity" before update on "workflow_trigger" for each row when (new.tenant_id is distinct from old.tenant_id or new.id is distinct from old.id) execute function daybook_refuse_identity_change('tenant_id', 'id');`,
    )
    this.addSql(
      `create or replace function "workflow_trigger_guard_insert_fn"() returns trigger as $$ begin if exists (select from inserted n where n.automation_id is not null and not exists (select from "automation" t where t.id = n.automation_id and t.tenant_id = n.tenant_id)) then raise exception using errcode = '23503', table = 'workflow_trigger', constraint = 'workflow_trigger_automation_id_foreign', message = 'insert or update on table "workflow_trigger" violates foreign key constraint "workflow_trigger_automation_id_foreign"', detail = 'Key is not present in table "automation".'; end if; return null; end; $$ language plpgsql set search_path = "public", pg_temp;`,
    )
    this.addSql(
      `create trigger "guard_insert" after insert on "workflow_trigger" referencing new table as inserted for each statement execute function "workflow_trigger_guard_insert_fn"();`,
    )
    this.addSql(
      `create or replace function "workflow_trigger_guard_update_fn"() returns trigger as $$ begin if new.automation_id is distinct from old.automation_id and new.automation_id is not null and not exists (select from "automation" t where t.id = new.automation_id and t.tenant_id = new.tenant_id) then raise exception using errcode = '23503', table = 'workflow_trigger', constraint = 'workflow_trigger_automation_id_foreign', message = 'insert or update on table "workflow_trigger" violates foreign key constraint "workflow_trigger_automation_id_foreign"', detail = 'Key is not present in table "automation".'; end if; return null; end; $$ language plpgsql set search_path = "public", pg_temp;`,
    )
    this.addSql(
      `create trigger "guard_update" after update on "workflow_trigger" for each row when (new.automation_id is distinct from old.automation_id) execute function "workflow_trigger_guard_update_fn"();`,
    )
    this.addSql(
      `create trigger "audit_insert" after insert on "workflow_trigger" referencing new table as new_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('workflow-trigger', 'tenant_id', '', '{}');`,
    )
    this.addSql(
      `create trigger "audit_update" after update on "workflow_trigger" referencing old table as old_rows new table as new_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('workflow-trigger', 'tenant_id', '', '{}');`,
    )
    this.addSql(
      `create trigger "audit_delete" after delete on "workflow_trigger" referencing old table as old_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('workflow-trigger', 'tenant_id', '', '{}');`,
    )
    this.addSql(`alter table "workflow_trigger" enable row level security;`)
    this.addSql(`alter table "workflow_trigger" force row level security;`)
    this.addSql(
      `create policy "tenant" on "workflow_trigger" using (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid) with check (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid);`,
    )
    this.addSql(
      `alter table "workflow_execution" add constraint "workflow_execution_automation_id_foreign" foreign key ("automation_id") references "automation" ("id") on delete cascade;`,
    )
    this.addSql(
      `alter table "workflow_execution" add constraint "workflow_execution_trigger_id_foreign" foreign key ("trigger_id") references "workflow_trigger" ("id") on delete set null;`,
    )
    this.addSql(
      `alter table "workflow_execution" add constraint "workflow_execution_lease" check ((status = 'RUNNING') = (lease_until is not null));`,
    )
    this.addSql(
      `alter table "workflow_execution" add constraint "workflow_execution_finished" check ((status = 'QUEUED' or status = 'RUNNING') = (finished_at is null));`,
    )
    this.addSql(`alter table "workflow_execution" add constraint "workflow_execution_attempt" check (attempt >= 0 and max_attempts >= 1);`)
    this.addSql(
      `alter table "workflow_execution" add constraint "workflow_execution_status_check" check ("status" in ('QUEUED', 'RUNNING', 'SUCCESS', 'FAILED', 'TIMEOUT', 'CANCELLED'));`,
    )
    this.addSql(
      `create trigger "touch" before update on "workflow_execution" for each row when (new.updated_at is not distinct from old.updated_at and (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on')) execute function daybook_touch();`,
    )
    this.addSql(
      `create trigger "guard_identity" before update on "workflow_execution" for each row when (new.tenant_id is distinct from old.tenant_id or new.id is distinct from old.id or new.automation_id is distinct from old.automation_id or new.trigger_id is distinct from old.trigger_id or new.key is distinct from old.key or new.input is distinct from old.input) execute function daybook_refuse_identity_change('tenant_id', 'id', 'automation_id', 'trigger_id', 'key', 'input');`,
    )
    this.addSql(
      `create or replace function "workflow_execution_guard_insert_fn"() returns trigger as $$ begin if exists (select from inserted n where n.automation_id is not null and not exists (select from "automation" t where t.id = n.automation_id and t.tenant_id = n.tenant_id)) then raise exception using errcode = '23503', table = 'workflow_execution', constraint = 'workflow_execution_automation_id_foreign', message = 'insert or update on table "workflow_execution" violates foreign key constraint "workflow_execution_automation_id_foreign"', detail = 'Key is not present in table "automation".'; end if; if exists (select from inserted n where n.trigger_id is not null and not exists (select from "workflow_trigger" t where t.id = n.trigger_id and t.tenant_id = n.tenant_id)) then raise exception using errcode = '23503', table = 'workflow_execution', constraint = 'workflow_execution_trigger_id_foreign', message = 'insert or update on table "workflow_execution" violates foreign key constraint "workflow_execution_trigger_id_foreign"', detail = 'Key is not present in table "workflow_trigger".'; end if; return null; end; $$ language plpgsql set search_path = "public", pg_temp;`,
    )
    this.addSql(
      `create trigger "guard_insert" after insert on "workflow_execution" referencing new table as inserted for each statement execute function "workflow_execution_guard_insert_fn"();`,
    )
    this.addSql(
      `create or replace function "workflow_execution_guard_update_fn"() returns trigger as $$ begin if new.automation_id is distinct from old.automation_id and new.automation_id is not null and not exists (select from "automation" t where t.id = new.automation_id and t.tenant_id = new.tenant_id) then raise exception using errcode = '23503', table = 'workflow_execution', constraint = 'workflow_execution_automation_id_foreign', message = 'insert or update on table "workflow_execution" violates foreign key constraint "workflow_execution_automation_id_foreign"', detail = 'Key is not present in table "automation".'; end if; if new.trigger_id is distinct from old.trigger_id and new.trigger_id is not null and not exists (select from "workflow_trigger" t where t.id = new.trigger_id and t.tenant_id = new.tenant_id) then raise exception using errcode = '23503', table = 'workflow_execution', constraint = 'workflow_execution_trigger_id_foreign', message = 'insert or update on table "workflow_execution" violates foreign key constraint "workflow_execution_trigger_id_foreign"', detail = 'Key is not present in table "workflow_trigger".'; end if; return null; end; $$ language plpgsql set search_path = "public", pg_temp;`,
    )
    this.addSql(
      `create trigger "guard_update" after update on "workflow_execution" for each row when (new.automation_id is distinct from old.automation_id or new.trigger_id is distinct from old.trigger_id) execute function "workflow_execution_guard_update_fn"();`,
    )
    this.addSql(
      `create trigger "audit_insert" after insert on "workflow_execution" referencing new table as new_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('workflow-execution', 'tenant_id', '', '{}');`,
    )
    this.addSql(
      `create trigger "audit_update" after update on "workflow_execution" referencing old table as old_rows new table as new_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('workflow-execution', 'tenant_id', '', '{}');`,
    )
    this.addSql(
      `create trigger "audit_delete" after delete on "workflow_execution" referencing old table as old_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('workflow-execution', 'tenant_id', '', '{}');`,
    )
    this.addSql(`alter table "workflow_execution" enable row level security;`)
    this.addSql(`alter table "workflow_execution" force row level security;`)
    this.addSql(
      `create policy "tenant" on "workflow_execution" using (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid) with check (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid);`,
    )
  }

  override down(): void {
    this.addSql(`drop table "workflow_execution";`)
    this.addSql(`drop table "workflow_trigger";`)
    this.addSql(`drop table "automation";`)
    this.addSql(`drop function "workflow_trigger_guard_insert_fn";`)
    this.addSql(`drop function "workflow_trigger_guard_update_fn";`)
    this.addSql(`drop function "workflow_execution_guard_insert_fn";`)
    this.addSql(`drop function "workflow_execution_guard_update_fn";`)
  }
}
