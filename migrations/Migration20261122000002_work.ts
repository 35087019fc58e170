import { Migration } from '@mikro-orm/migrations'

/** Pipelines, tasks and their templates, requests, approvals. New tables only, so nothing is locked. */
export class Migration20261122000002_work extends Migration {
  override up(): void {
    this.addSql(
      `create table "pipeline" ("id" uuid not null, "created_at" timestamptz(3) not null default now(), "updated_at" timestamptz(3) not null default now(), "tenant_id" uuid not null, "key" text not null, "name" text not null, "type" text not null, "is_active" boolean not null default true, "routing" jsonb not null default '{}', "version" int not null default 1, primary key ("id"));`,
    )
    this.addSql(`alter table "pipeline" add constraint "pipeline_tenant_id_key_unique" unique ("tenant_id", "key");`)
    this.addSql(
      `create table "pipeline_stage" ("id" uuid not null, "created_at" timestamptz(3) not null default now(), "updated_at" timestamptz(3) not null default now(), "tenant_id" uuid not null, "pipeline_id" uuid not null, "key" text not null, "name" text not null, "position" int not null, "outcome" text not null default 'OPEN', "is_terminal" boolean not null default false, primary key ("id"));`,
    )
    this.addSql(`create index "pipeline_stage_pipeline_id_index" on "pipeline_stage" ("pipeline_id");`)
    this.addSql(
      `alter table "pipeline_stage" add constraint "pipeline_stage_tenant_id_pipeline_id_position_unique" unique ("tenant_id", "pipeline_id", "position");`,
    )
    this.addSql(
      `alter table "pipeline_stage" add constraint "pipeline_stage_tenant_id_pipeline_id_key_unique" unique ("tenant_id", "pipeline_id", "key");`,
    )
    this.addSql(
      `create table "task_template" ("id" uuid not null, "created_at" timestamptz(3) not null default now(), "updated_at" timestamptz(3) not null default now(), "tenant_id" uuid not null, "key" text not null, "revision" int not null default 1, "name" text not null, "kind" text not null default 'TASK', "pipeline_type" text not null, "definition" jsonb not null, "default_priority" text not null default 'MEDIUM', "sla_minutes" int null, "is_active" boolean not null default true, primary key ("id"));`,
    )
    this.addSql(
      `alter table "task_template" add constraint "task_template_tenant_id_key_revision_unique" unique ("tenant_id", "key", "revision");`,
    )
    this.addSql(`create unique index "task_template_one_active" on "task_template" ("tenant_id", "key") where is_active;`)
    this.addSql(
      `create table "task" ("id" uuid not null, "created_at" timestamptz(3) not null default now(), "updated_at" timestamptz(3) not null default now(), "tenant_id" uuid not null, "template_id" uuid null, "kind" text not null default 'TASK', "source" text null, "status" text not null default 'NEW', "priority" text not null default 'MEDIUM', "title" text not null, "description" text null, "pipeline_id" uuid null, "stage_id" uuid null, "stage_entered_at" timestamptz(3) null, "assignee_id" uuid null, "due_at" timestamptz(3) null, "completed_at" timestamptz(3) null, "data" jsonb not null default '{}', "version" int not null default 1, primary key ("id"));`,
    )
    this.addSql(`create index "task_tenant_id_status_due_at_index" on "task" ("tenant_id", "status", "due_at");`)
    this.addSql(`create index "task_tenant_id_assignee_id_status_index" on "task" ("tenant_id", "assignee_id", "status");`)
    this.addSql(`create index "task_tenant_id_stage_id_stage_entered_at_index" on "task" ("tenant_id", "stage_id", "stage_entered_at");`)
    this.addSql(`create index "task_template_id_index" on "task" ("template_id");`)
    this.addSql(`create index "task_pipeline_id_index" on "task" ("pipeline_id");`)
    this.addSql(`create index "task_stage_id_index" on "task" ("stage_id");`)
    this.addSql(`create index "task_assignee_id_index" on "task" ("assignee_id");`)
    this.addSql(
      `create table "pipeline_item" ("id" uuid not null, "created_at" timestamptz(3) not null default now(), "updated_at" timestamptz(3) not null default now(), "tenant_id" uuid not null, "pipeline_id" uuid not null, "stage_id" uuid not null, "title" text not null, "data" jsonb not null default '{}', "task_id" uuid null, primary key ("id"));`,
    )
    this.addSql(`create index "pipeline_item_tenant_id_index" on "pipeline_item" ("tenant_id");`)
    this.addSql(`create index "pipeline_item_to_migrate" on "pipeline_item" ("tenant_id", "id") where task_id is null;`)
    this.addSql(`create index "pipeline_item_pipeline_id_index" on "pipeline_item" ("pipeline_id");`)
    this.addSql(`create index "pipeline_item_stage_id_index" on "pipeline_item" ("stage_id");`)
    this.addSql(`create index "pipeline_item_task_id_index" on "pipeline_item" ("task_id");`)
    this.addSql(`create unique index "pipeline_item_one_task" on "pipeline_item" ("tenant_id", "task_id") where task_id is not null;`)
    this.addSql(
      `create table "intake_request" ("id" uuid not null, "created_at" timestamptz(3) not null default now(), "updated_at" timestamptz(3) not null default now(), "tenant_id" uuid not null, "source" text not null, "subject" text not null, "body" text null, "requester_email" text null, "status" text not null default 'NEW', "pipeline_id" uuid null, "task_id" uuid null, "received_at" timestamptz(3) not null, "version" int not null default 1, primary key ("id"));`,
    )
    this.addSql(
      `create index "intake_request_tenant_id_status_received_at_index" on "intake_request" ("tenant_id", "status", "received_at");`,
    )
    this.addSql(`create index "intake_request_pipeline_id_index" on "intake_request" ("pipeline_id");`)
    this.addSql(`create index "intake_request_task_id_index" on "intake_request" ("task_id");`)
    this.addSql(`create unique index "intake_request_one_task" on "intake_request" ("tenant_id", "task_id") where task_id is not null;`)
    this.addSql(
      `create table "approval_item" ("id" uuid not null, "created_at" timestamptz(3) not null default now(), "updated_at" timestamptz(3) not null default now(), "tenant_id" uuid not null, "subject_type" text not null, "subject_id" uuid not null, "requested_by_type" text not null, "requested_by_id" text not null, "reason" text not null, "payload" jsonb not null default '{}', "confidence" numeric(4,3) null, "decision_id" uuid not null, "status" text not null default 'PENDING', "decided_by_id" uuid null, "decided_at" timestamptz(3) null, "expires_at" timestamptz(3) null, "version" int not null default 1, primary key ("id"));`,
    )
    this.addSql(
      `create index "approval_item_tenant_id_subject_type_subject_id_status_index" on "approval_item" ("tenant_id", "subject_type", "subject_id", "status");`,
    )
    this.addSql(`create index "approval_item_tenant_id_status_expires_at_index" on "approval_item" ("tenant_id", "status", "expires_at");`)
    this.addSql(`create index "approval_item_decided_by_id_index" on "approval_item" ("decided_by_id");`)
    this.addSql(
      `alter table "approval_item" add constraint "approval_item_tenant_id_decision_id_unique" unique ("tenant_id", "decision_id");`,
    )
    this.addSql(
      `alter table "pipeline" add constraint "pipeline_type_check" check ("type" in ('SALES', 'SUPPORT', 'BILLING', 'INTERNAL', 'GENERIC', 'CUSTOM'));`,
    )
    this.addSql(
      `create trigger "touch" before update on "pipeline" for each row when (new.updated_at is not distinct from old.updated_at and (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on')) execute function daybook_touch();`,
    )
    this.addSql(
      `create trigger "guard_identity" before update on "pipeline" for each row when (new.tenant_id is distinct from old.tenant_id or new.id is distinct from old.id) execute function daybook_refuse_identity_change('tenant_id', 'id');`,
    )
    this.addSql(
      `create trigger "audit_insert" after insert on "pipeline" referencing new table as new_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('pipeline', 'tenant_id', 'version', '{}');`,
    )
    this.addSql(
      `create trigger "audit_update" after update on "pipeline" referencing old table as old_rows new table as new_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('pipeline', 'tenant_id', 'version', '{}');`,
    )
    this.addSql(
      `create trigger "audit_delete" after delete on "pipeline" referencing old table as old_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('pipeline', 'tenant_id', 'version', '{}');`,
    )
    this.addSql(`alter table "pipeline" enable row level security;`)
    this.addSql(`alter table "pipeline" force row level security;`)
    this.addSql(
      `create policy "tenant" on "pipeline" using (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid) with check (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid);`,
    )
    this.addSql(
      `alter table "pipeline_stage" add constraint "pipeline_stage_pipeline_id_foreign" foreign key ("pipeline_id") references "pipeline" ("id") on delete cascade;`,
    )
    this.addSql(`alter table "pipeline_stage" add constraint "pipeline_stage_position" check (position >= 0);`)
    this.addSql(
      `alter table "pipeline_stage" add constraint "pipeline_stage_outcome_is_terminal" check (is_terminal = (outcome <> 'OPEN'));`,
    )
    this.addSql(
      `alter table "pipeline_stage" add constraint "pipeline_stage_outcome_check" check ("outcome" in ('OPEN', 'WON', 'LOST', 'DONE'));`,
    )
    this.addSql(
      `create trigger "touch" before update on "pipeline_stage" for each row when (new.updated_at is not distinct from old.updated_at and (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on')) execute function daybook_touch();`,
    )
    this.addSql(
      `create trigger "guard_identity" before update on "pipeline_stage" for each row when (new.tenant_id is distinct from old.tenant_id or new.id is distinct from old.id) execute function daybook_refuse_identity_change('tenant_id', 'id');`,
    )
    this.addSql(
      `create or replace function "pipeline_stage_guard_insert_fn"() returns trigger as $$ begin if exists (select from inserted n where n.pipeline_id is not null and not exists (select from "pipeline" t where t.id = n.pipeline_id and t.tenant_id = n.tenant_id)) then raise exception using errcode = '23503', table = 'pipeline_stage', constraint = 'pipeline_stage_pipeline_id_foreign', message = 'insert or update on table "pipeline_stage" violates foreign key constraint "pipeline_stage_pipeline_id_foreign"', detail = 'Key is not present in table "pipeline".'; end if; return null; end; $$ language plpgsql set search_path = "public", pg_temp;`,
    )
    this.addSql(
      `create trigger "guard_insert" after insert on "pipeline_stage" referencing new table as inserted for each statement execute function "pipeline_stage_guard_insert_fn"();`,
    )
    this.addSql(
      `create or replace function "pipeline_stage_guard_update_fn"() returns trigger as $$ begin if new.pipeline_id is distinct from old.pipeline_id and new.pipeline_id is not null and not exists (select from "pipeline" t where t.id = new.pipeline_id and t.tenant_id = new.tenant_id) then raise exception using errcode = '23503', table = 'pipeline_stage', constraint = 'pipeline_stage_pipeline_id_foreign', message = 'insert or update on table "pipeline_stage" violates foreign key constraint "pipeline_stage_pipeline_id_foreign"', detail = 'Key is not present in table "pipeline".'; end if; return null; end; $$ language plpgsql set search_path = "public", pg_temp;`,
    )
    this.addSql(
      `create trigger "guard_update" after update on "pipeline_stage" for each row when (new.pipeline_id is distinct from old.pipeline_id) execute function "pipeline_stage_guard_update_fn"();`,
    )
    this.addSql(
      `create trigger "audit_insert" after insert on "pipeline_stage" referencing new table as new_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('pipeline-stage', 'tenant_id', '', '{}');`,
    )
    this.addSql(
      `create trigger "audit_update" after update on "pipeline_stage" referencing old table as old_rows new table as new_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('pipeline-stage', 'tenant_id', '', '{}');`,
    )
    this.addSql(
      `create trigger "audit_delete" after delete on "pipeline_stage" referencing old table as old_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('pipeline-stage', 'tenant_id', '', '{}');`,
    )
    this.addSql(`alter table "pipeline_stage" enable row level security;`)
    this.addSql(`alter table "pipeline_stage" force row level security;`)
    this.addSql(
      `create policy "tenant" on "pipeline_stage" using (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid) with check (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid);`,
    )
    this.addSql(`alter table "task_template" add constraint "task_template_sla" check (sla_minutes > 0);`)
    this.addSql(
      `alter table "task_template" add constraint "task_template_kind_check" check ("kind" in ('TASK', 'CALL', 'EMAIL', 'MEETING', 'NOTE'));`,
    )
    this.addSql(
      `alter table "task_template" add constraint "task_template_pipeline_type_check" check ("pipeline_type" in ('SALES', 'SUPPORT', 'BILLING', 'INTERNAL', 'GENERIC', 'CUSTOM'));`,
    )
    this.addSql(
      `alter table "task_template" add constraint "task_template_default_priority_check" check ("default_priority" in ('LOW', 'MEDIUM', 'HIGH', 'URGENT'));`,
    )
    this.addSql(
      `create trigger "touch" before update on "task_template" for each row when (new.updated_at is not distinct from old.updated_at and (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on')) execute function daybook_touch();`,
    )
    this.addSql(
      `create trigger "guard_identity" before update on "task_template" for each row when (new.tenant_id is distinct from old.tenant_id or new.id is distinct from old.id or new.key is distinct from old.key or new.revision is distinct from old.revision or new.definition is distinct from old.definition) execute function daybook_refuse_identity_change('tenant_id', 'id', 'key', 'revision', 'definition');`,
    )
    this.addSql(
      `create trigger "audit_insert" after insert on "task_template" referencing new table as new_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('task-template', 'tenant_id', '', '{}');`,
    )
    this.addSql(
      `create trigger "audit_update" after update on "task_template" referencing old table as old_rows new table as new_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('task-template', 'tenant_id', '', '{}');`,
    )
    this.addSql(
      `create trigger "audit_delete" after delete on "task_template" referencing old table as old_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('task-template', 'tenant_id', '', '{}');`,
    )
    this.addSql(`alter table "task_template" enable row level security;`)
    this.addSql(`alter table "task_template" force row level security;`)
    this.addSql(
      `create policy "tenant" on "task_template" using (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid) with check (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid);`,
    )
    this.addSql(
      `alter table "task" add constraint "task_template_id_foreign" foreign key ("template_id") references "task_template" ("id") on delete restrict;`,
    )
    this.addSql(
      `alter table "task" add constraint "task_pipeline_id_foreign" foreign key ("pipeline_id") references "pipeline" ("id") on delete restrict;`,
    )
    this.addSql(
      `alter table "task" add constraint "task_stage_id_foreign" foreign key ("stage_id") references "pipeline_stage" ("id") on delete restrict;`,
    )
    this.addSql(
      `alter table "task" add constraint "task_assignee_id_foreign" foreign key ("assignee_id") references "app_user" ("id") on delete set null;`,
    )
    this.addSql(`alter table "task" add constraint "task_completed_when_done" check ((status = 'DONE') = (completed_at is not null));`)
    this.addSql(`alter table "task" add constraint "task_stage_in_pipeline" check (stage_id is null or pipeline_id is not null);`)
    this.addSql(`alter table "task" add constraint "task_stage_entered" check ((stage_id is null) = (stage_entered_at is null));`)
    this.addSql(`alter table "task" add constraint "task_kind_check" check ("kind" in ('TASK', 'CALL', 'EMAIL', 'MEETING', 'NOTE'));`)
    this.addSql(`alter table "task" add constraint "task_source_check" check ("source" in ('FORM', 'EMAIL', 'CHAT', 'API', 'CALL'));`)
    this.addSql(
      `alter table "task" add constraint "task_status_check" check ("status" in ('NEW', 'IN_PROGRESS', 'NEEDS_REVIEW', 'BLOCKED', 'DONE', 'CANCELLED'));`,
    )
    this.addSql(`alter table "task" add constraint "task_priority_check" check ("priority" in ('LOW', 'MEDIUM', 'HIGH', 'URGENT'));`)
    this.addSql(
      `create trigger "touch" before update on "task" for each row when (new.updated_at is not distinct from old.updated_at and (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on')) execute function daybook_touch();`,
    )
    this.addSql(
      `create trigger "guard_identity" before update on "task" for each row when (new.tenant_id is distinct from old.tenant_id or new.id is distinct from old.id) execute function daybook_refuse_identity_change('tenant_id', 'id');`,
    )
    this.addSql(
      `create or replace function "task_guard_insert_fn"() returns trigger as $$ begin if exists (select from inserted n where n.template_id is not null and not exists (select from "task_template" t where t.id = n.template_id and t.tenant_id = n.tenant_id)) then raise exception using errcode = '23503', table = 'task', constraint = 'task_template_id_foreign', message = 'insert or update on table "task" violates foreign key constraint "task_template_id_foreign"', detail = 'Key is not present in table "task_template".'; end if; if exists (select from inserted n where n.pipeline_id is not null and not exists (select from "pipeline" t where t.id = n.pipeline_id and t.tenant_id = n.tenant_id)) then raise exception using errcode = '23503', table = 'task', constraint = 'task_pipeline_id_foreign', message = 'insert or update on table "task" violates foreign key constraint "task_pipeline_id_foreign"', detail = 'Key is not present in table "pipeline".'; end if; if exists (select from inserted n where n.stage_id is not null and not exists (select from "pipeline_stage" t where t.id = n.stage_id and t.tenant_id = n.tenant_id)) then raise exception using errcode = '23503', table = 'task', constraint = 'task_stage_id_foreign', message = 'insert or update on table "task" violates foreign key constraint "task_stage_id_foreign"', detail = 'Key is not present in table "pipeline_stage".'; end if; if exists (select from inserted n where n.assignee_id is not null and not exists (select from "app_user" t where t.id = n.assignee_id)) then raise exception using errcode = '23503', table = 'task', constraint = 'task_assignee_id_foreign', message = 'insert or update on table "task" violates foreign key constraint "task_assignee_id_foreign"', detail = 'Key is not present in table "app_user".'; end if; return null; end; $$ language plpgsql set search_path = "public", pg_temp;`,
    )
    this.addSql(
      `create trigger "guard_insert" after insert on "task" referencing new table as inserted for each statement execute function "task_guard_insert_fn"();`,
    )
    this.addSql(
      `create or replace function "task_guard_update_fn"() returns trigger as $$ begin if new.template_id is distinct from old.template_id and new.template_id is not null and not exists (select from "task_template" t where t.id = new.template_id and t.tenant_id = new.tenant_id) then raise exception using errcode = '23503', table = 'task', constraint = 'task_template_id_foreign', message = 'insert or update on table "task" violates foreign key constraint "task_template_id_foreign"', detail = 'Key is not present in table "task_template".'; end if; if new.pipeline_id is distinct from old.pipeline_id and new.pipeline_id is not null and not exists (select from "pipeline" t where t.id = new.pipeline_id and t.tenant_id = new.tenant_id) then raise exception using errcode = '23503', table = 'task', constraint = 'task_pipeline_id_foreign', message = 'insert or update on table "task" violates foreign key constraint "task_pipeline_id_foreign"', detail = 'Key is not present in table "pipeline".'; end if; if new.stage_id is distinct from old.stage_id and new.stage_id is not null and not exists (select from "pipeline_stage" t where t.id = new.stage_id and t.tenant_id = new.tenant_id) then raise exception using errcode = '23503', table = 'task', constraint = 'task_stage_id_foreign', message = 'insert or update on table "task" violates foreign key constraint "task_stage_id_foreign"', detail = 'Key is not present in table "pipeline_stage".'; end if; if new.assignee_id is distinct from old.assignee_id and new.assignee_id is not null and not exists (select from "app_user" t where t.id = new.assignee_id) then raise exception using errcode = '23503', table = 'task', constraint = 'task_assignee_id_foreign', message = 'insert or update on table "task" violates foreign key constraint "task_assignee_id_foreign"', detail = 'Key is not present in table "app_user".'; end if; return null; end; $$ language plpgsql set search_path = "public", pg_temp;`,
    )
    this.addSql(
      `create trigger "guard_update" after update on "task" for each row when (new.template_id is distinct from old.template_id or new.pipeline_id is distinct from old.pipeline_id or new.stage_id is distinct from old.stage_id or new.assignee_id is distinct from old.assignee_id) execute function "task_guard_update_fn"();`,
    )
    this.addSql(
      `create trigger "audit_insert" after insert on "task" referencing new table as new_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('task', 'tenant_id', 'version', '{}');`,
    )
    this.addSql(
      `create trigger "audit_update" after update on "task" referencing old table as old_rows new table as new_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('task', 'tenant_id', 'version', '{}');`,
    )
    this.addSql(
      `create trigger "audit_delete" after delete on "task" referencing old table as old_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('task', 'tenant_id', 'version', '{}');`,
    )
    this.addSql(`alter table "task" enable row level security;`)
    this.addSql(`alter table "task" force row level security;`)
    this.addSql(
      `create policy "tenant" on "task" using (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid) with check (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid);`,
    )
    this.addSql(
      `alter table "pipeline_item" add constraint "pipeline_item_pipeline_id_foreign" foreign key ("pipeline_id") references "pipeline" ("id");`,
    )
    this.addSql(
      `alter table "pipeline_item" add constraint "pipeline_item_stage_id_foreign" foreign key ("stage_id") references "pipeline_stage" ("id");`,
    )
    this.addSql(
      `alter table "pipeline_item" add constraint "pipeline_item_task_id_foreign" foreign key ("task_id") references "task" ("id") on delete cascade;`,
    )
    this.addSql(
      `create trigger "touch" before update on "pipeline_item" for each row when (new.updated_at is not distinct from old.updated_at and (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on')) execute function daybook_touch();`,
    )
    this.addSql(
      `create trigger "guard_identity" before update on "pipeline_item" for each row when (new.tenant_id is distinct from old.tenant_id or new.id is distinct from old.id) execute function daybook_refuse_identity_change('tenant_id', 'id');`,
    )
    this.addSql(
      `create or replace function "pipeline_item_guard_insert_fn"() returns trigger as $$ begin if exists (select from inserted n where n.pipeline_id is not null and not exists (select from "pipeline" t where t.id = n.pipeline_id and t.tenant_id = n.tenant_id)) then raise exception using errcode = '23503', table = 'pipeline_item', constraint = 'pipeline_item_pipeline_id_foreign', message = 'insert or update on table "pipeline_item" violates foreign key constraint "pipeline_item_pipeline_id_foreign"', detail = 'Key is not present in table "pipeline".'; end if; if exists (select from inserted n where n.stage_id is not null and not exists (select from "pipeline_stage" t where t.id = n.stage_id and t.tenant_id = n.tenant_id)) then raise exception using errcode = '23503', table = 'pipeline_item', constraint = 'pipeline_item_stage_id_foreign', message = 'insert or update on table "pipeline_item" violates foreign key constraint "pipeline_item_stage_id_foreign"', detail = 'Key is not present in table "pipeline_stage".'; end if; if exists (select from inserted n where n.task_id is not null and not exists (select from "task" t where t.id = n.task_id and t.tenant_id = n.tenant_id)) then raise exception using errcode = '23503', table = 'pipeline_item', constraint = 'pipeline_item_task_id_foreign', message = 'insert or update on table "pipeline_item" violates foreign key constraint "pipeline_item_task_id_foreign"', detail = 'Key is not present in table "task".'; end if; return null; end; $$ language plpgsql set search_path = "public", pg_temp;`,
    )
    this.addSql(
      `create trigger "guard_insert" after insert on "pipeline_item" referencing new table as inserted for each statement execute function "pipeline_item_guard_insert_fn"();`,
    )
    this.addSql(
      `create or replace function "pipeline_item_guard_update_fn"() returns trigger as $$ begin if new.pipeline_id is distinct from old.pipeline_id and new.pipeline_id is not null and not exists (select from "pipeline" t where t.id = new.pipeline_id and t.tenant_id = new.tenant_id) then raise exception using errcode = '23503', table = 'pipeline_item', constraint = 'pipeline_item_pipeline_id_foreign', message = 'insert or update on table "pipeline_item" violates foreign key constraint "pipeline_item_pipeline_id_foreign"', detail = 'Key is not present in table "pipeline".'; end if; if new.stage_id is distinct from old.stage_id and new.stage_id is not null and not exists (select from "pipeline_stage" t where t.id = new.stage_id and t.tenant_id = new.tenant_id) then raise exception using errcode = '23503', table = 'pipeline_item', constraint = 'pipeline_item_stage_id_foreign', message = 'insert or update on table "pipeline_item" violates foreign key constraint "pipeline_item_stage_id_foreign"', detail = 'Key is not present in table "pipeline_stage".'; end if; if new.task_id is distinct from old.task_id and new.task_id is not null and not exists (select from "task" t where t.id = new.task_id and t.tenant_id = new.tenant_id) then raise exception using errcode = '23503', table = 'pipeline_item', constraint = 'pipeline_item_task_id_foreign', message = 'insert or update on table "pipeline_item" violates foreign key constraint "pipeline_item_task_id_foreign"', detail = 'Key is not present in table "task".'; end if; return null; end; $$ language plpgsql set search_path = "public", pg_temp;`,
    )
    this.addSql(
      `create trigger "guard_update" after update on "pipeline_item" for each row when (new.pipeline_id is distinct from old.pipeline_id or new.stage_id is distinct from old.stage_id or new.task_id is distinct from old.task_id) execute function "pipeline_item_guard_update_fn"();`,
    )
    this.addSql(
      `create trigger "audit_insert" after insert on "pipeline_item" referencing new table as new_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('pipeline-item', 'tenant_id', '', '{}');`,
    )
    this.addSql(
      `create trigger "audit_update" after update on "pipeline_item" referencing old table as old_rows new table as new_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('pipeline-item', 'tenant_id', '', '{}');`,
    )
    this.addSql(
      `create trigger "audit_delete" after delete on "pipeline_item" referencing old table as old_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('pipeline-item', 'tenant_id', '', '{}');`,
    )
    this.addSql(`alter table "pipeline_item" enable row level security;`)
    this.addSql(`alter table "pipeline_item" force row level security;`)
    this.addSql(
      `create policy "tenant" on "pipeline_item" using (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid) with check (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid);`,
    )
    this.addSql(
      `alter table "intake_request" add constraint "intake_request_pipeline_id_foreign" foreign key ("pipeline_id") references "pipeline" ("id") on delete set null;`,
    )
    this.addSql(
      `alter table "intake_request" add constraint "intake_request_task_id_foreign" foreign key ("task_id") references "task" ("id") on delete set null;`,
    )
    this.addSql(
      `alter table "intake_request" add constraint "intake_request_email_lower_case" check (requester_email = lower(requester_email));`,
    )
    this.addSql(
      `alter table "intake_request" add constraint "intake_request_source_check" check ("source" in ('FORM', 'EMAIL', 'CHAT', 'API', 'CALL'));`,
    )
    this.addSql(
      `alter table "intake_request" add constraint "intake_request_status_check" check ("status" in ('NEW', 'ROUTING', 'ASSIGNED', 'PROCESSING', 'COMPLETED', 'REJECTED'));`,
    )
    this.addSql(
      `create trigger "touch" before update on "intake_request" for each row when (new.updated_at is not distinct from old.updated_at and (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on')) execute function daybook_touch();`,
    )
    this.addSql(
      `create trigger "guard_identity" before update on "intake_request" for each row when (new.tenant_id is distinct from old.tenant_id or new.id is distinct from old.id) execute function daybook_refuse_identity_change('tenant_id', 'id');`,
    )
    this.addSql(
      `create or replace function "intake_request_guard_insert_fn"() returns trigger as $$ begin if exists (select from inserted n where n.pipeline_id is not null and not exists (select from "pipeline" t where t.id = n.pipeline_id and t.tenant_id = n.tenant_id)) then raise exception using errcode = '23503', table = 'intake_request', constraint = 'intake_request_pipeline_id_foreign', message = 'insert or update on table "intake_request" violates foreign key constraint "intake_request_pipeline_id_foreign"', detail = 'Key is not present in table "pipeline".'; end if; if exists (select from inserted n where n.task_id is not null and not exists (select from "task" t where t.id = n.task_id and t.tenant_id = n.tenant_id)) then raise exception using errcode = '23503', table = 'intake_request', constraint = 'intake_request_task_id_foreign', message = 'insert or update on table "intake_request" violates foreign key constraint "intake_request_task_id_foreign"', detail = 'Key is not present in table "task".'; end if; return null; end; $$ language plpgsql set search_path = "public", pg_temp;`,
    )
    this.addSql(
      `create trigger "guard_insert" after insert on "intake_request" referencing new table as inserted for each statement execute function "intake_request_guard_insert_fn"();`,
    )
    this.addSql(
      `create or replace function "intake_request_guard_update_fn"() returns trigger as $$ begin if new.pipeline_id is distinct from old.pipeline_id and new.pipeline_id is not null and not exists (select from "pipeline" t where t.id = new.pipeline_id and t.tenant_id = new.tenant_id) then raise exception using errcode = '23503', table = 'intake_request', constraint = 'intake_request_pipeline_id_foreign', message = 'insert or update on table "intake_request" violates foreign key constraint "intake_request_pipeline_id_foreign"', detail = 'Key is not present in table "pipeline".'; end if; if new.task_id is distinct from old.task_id and new.task_id is not null and not exists (select from "task" t where t.id = new.task_id and t.tenant_id = new.tenant_id) then raise exception using errcode = '23503', table = 'intake_request', constraint = 'intake_request_task_id_foreign', message = 'insert or update on table "intake_request" violates foreign key constraint "intake_request_task_id_foreign"', detail = 'Key is not present in table "task".'; end if; return null; end; $$ language plpgsql set search_path = "public", pg_temp;`,
    )
    this.addSql(
      `create trigger "guard_update" after update on "intake_request" for each row when (new.pipeline_id is distinct from old.pipeline_id or new.task_id is distinct from old.task_id) execute function "intake_request_guard_update_fn"();`,
    )
    this.addSql(
      `create trigger "audit_insert" after insert on "intake_request" referencing new table as new_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('intake-request', 'tenant_id', 'version', '{}', '1', '{body,requester_email}', 'id');`,
    )
    this.addSql(
      `create trigger "audit_update" after update on "intake_request" referencing old table as old_rows new table as new_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('intake-request', 'tenant_id', 'version', '{}', '1', '{body,requester_email}', 'id');`,
    )
    this.addSql(
      `create trigger "audit_delete" after delete on "intake_request" referencing old table as old_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('intake-request', 'tenant_id', 'version', '{}', '1', '{body,requester_email}', 'id');`,
    )
    this.addSql(`alter table "intake_request" enable row level security;`)
    this.addSql(`alter table "intake_request" force row level security;`)
    this.addSql(
      `create policy "tenant" on "intake_request" using (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid) with check (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid);`,
    )
    this.addSql(
      `alter table "approval_item" add constraint "approval_item_decided_by_id_foreign" foreign key ("decided_by_id") references "app_user" ("id") on delete set null;`,
    )
    this.addSql(`alter table "approval_item" add constraint "approval_item_confidence" check (confidence >= 0 and confidence <= 1);`)
    this.addSql(`alter table "approval_item" add constraint "approval_item_decided" check ((status = 'PENDING') = (decided_at is null));`)
    this.addSql(
      `alter table "approval_item" add constraint "approval_item_status_check" check ("status" in ('PENDING', 'APPROVED', 'REJECTED', 'EXPIRED', 'AUTO_APPROVED'));`,
    )
    this.addSql(
      `create trigger "touch" before update on "approval_item" for each row when (new.updated_at is not distinct from old.updated_at and (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on')) execute function daybook_touch();`,
    )
    this.addSql(
      `create trigger "guard_identity" before update on "approval_item" for each row when (new.tenant_id is distinct from old.tenant_id or new.id is distinct from old.id or new.subject_type is distinct from old.subject_type or new.subject_id is distinct from old.subject_id or new.requested_by_type is distinct from old.requested_by_type or new.requested_by_id is distinct from old.requested_by_id or new.decision_id is distinct from old.decision_id) execute function daybook_refuse_identity_change('tenant_id', 'id', 'subject_type', 'subject_id', 'requested_by_type', 'requested_by_id', 'decision_id');`,
    )
    this.addSql(
      `create or replace function "approval_item_guard_insert_fn"() returns trigger as $$ begin if exists (select from inserted n where n.decided_by_id is not null and not exists (select from "app_user" t where t.id = n.decided_by_id)) then raise exception using errcode = '23503', table = 'approval_item', constraint = 'approval_item_decided_by_id_foreign', message = 'insert or update on table "approval_item" violates foreign key constraint "approval_item_decided_by_id_foreign"', detail = 'Key is not present in table "app_user".'; end if; return null; end; $$ language plpgsql set search_path = "public", pg_temp;`,
    )
    this.addSql(
      `create trigger "guard_insert" after insert on "approval_item" referencing new table as inserted for each statement execute function "approval_item_guard_insert_fn"();`,
    )
    this.addSql(
      `create or replace function "approval_item_guard_update_fn"() returns trigger as $$ begin if new.decided_by_id is distinct from old.decided_by_id and new.decided_by_id is not null and not exists (select from "app_user" t where t.id = new.decided_by_id) then raise exception using errcode = '23503', table = 'approval_item', constraint = 'approval_item_decided_by_id_foreign', message = 'insert or update on table "approval_item" violates foreign key constraint "approval_item_decided_by_id_foreign"', detail = 'Key is not present in table "app_user".'; end if; return null; end; $$ language plpgsql set search_path = "public", pg_temp;`,
    )
    this.addSql(
      `create trigger "guard_update" after update on "approval_item" for each row when (new.decided_by_id is distinct from old.decided_by_id) execute function "approval_item_guard_update_fn"();`,
    )
    this.addSql(
      `create trigger "audit_insert" after insert on "approval_item" referencing new table as new_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('approval-item', 'tenant_id', 'version', '{}');`,
    )
    this.addSql(
      `create trigger "audit_update" after update on "approval_item" referencing old table as old_rows new table as new_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('approval-item', 'tenant_id', 'version', '{}');`,
    )
    this.addSql(
      `create trigger "audit_delete" after delete on "approval_item" referencing old table as old_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('approval-item', 'tenant_id', 'version', '{}');`,
    )
    this.addSql(`alter table "approval_item" enable row level security;`)
    this.addSql(`alter table "approval_item" force row level security;`)
    this.addSql(
      `create policy "tenant" on "approval_item" using (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid) with check (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid);`,
    )
  }

  override down(): void {
    this.addSql(`drop table "approval_item";`)
    this.addSql(`drop table "intake_request";`)
    this.addSql(`drop table "pipeline_item";`)
    this.addSql(`drop table "task";`)
    this.addSql(`drop table "task_template";`)
    this.addSql(`drop table "pipeline_stage";`)
    this.addSql(`drop table "pipeline";`)
    this.addSql(`drop function "pipeline_stage_guard_insert_fn";`)
    this.addSql(`drop function "pipeline_stage_guard_update_fn";`)
    this.addSql(`drop function "task_guard_insert_fn";`)
    this.addSql(`drop function "task_guard_update_fn";`)
    this.addSql(`drop function "pipeline_item_guard_insert_fn";`)
    this.addSql(`drop function "pipeline_item_guard_update_fn";`)
    this.addSql(`drop function "intake_request_guard_insert_fn";`)
    this.addSql(`drop function "intake_request_guard_update_fn";`)
    this.addSql(`drop function "approval_item_guard_insert_fn";`)
    this.addSql(`drop function "approval_item_guard_update_fn";`)
  }
}
