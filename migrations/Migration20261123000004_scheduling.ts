import { Migration } from '@mikro-orm/migrations'

/** Calendar connections, events, tasks for scheduling agents, reminders. New tables only, so nothing is locked. */
export class Migration20261123000004_scheduling extends Migration {
  override up(): void {
    // GiST compares ranges without an extension, which an owner might not be allowed to create.
    this.addSql(`create type daybook_uuid_range as range (subtype = uuid);`)
    this.addSql(
      `create table "calendar_connection" ("id" uuid not null, "created_at" timestamptz(3) not null default now(), "updated_at" timestamptz(3) not null default now(), "tenant_id" uuid not null, "user_id" uuid not null, "provider" text not null, "external_account" text not null, "token_ref" text null, "scopes" text[] not null default '{}', "synced_at" timestamptz(3) null, "status" text not null default 'ACTIVE', "version" int not null default 1, primary key ("id"));`,
    )
    this.addSql(`create index "calendar_connection_user_id_index" on "calendar_connection" ("user_id");`)
    this.addSql(
      `alter table "calendar_connection" add constraint "calendar_connection_tenant_id_user_id_provider_ex_925cf_unique" unique ("tenant_id", "user_id", "provider", "external_account");`,
    )
    this.addSql(
      `create table "scheduling_event" ("id" uuid not null, "created_at" timestamptz(3) not null default now(), "updated_at" timestamptz(3) not null default now(), "tenant_id" uuid not null, "title" text not null, "starts_at" timestamptz(3) not null, "ends_at" timestamptz(3) not null, "time_zone" text not null, "status" text not null default 'SCHEDULED', "organizer_id" uuid not null, "attendees" jsonb not null default '[]', "location" text null, "ai_suggestion" jsonb null, "connection_id" uuid null, "external_id" text null, "version" int not null default 1, primary key ("id"));`,
    )
    this.addSql(
      `create index "scheduling_event_tenant_id_organizer_id_starts_at_index" on "scheduling_event" ("tenant_id", "organizer_id", "starts_at");`,
    )
    this.addSql(`create index "scheduling_event_tenant_id_ends_at_index" on "scheduling_event" ("tenant_id", "ends_at");`)
    this.addSql(`create index "scheduling_event_organizer_id_index" on "scheduling_event" ("organizer_id");`)
    this.addSql(`create index "scheduling_event_connection_id_index" on "scheduling_event" ("connection_id");`)
    this.addSql(
      `alter table "scheduling_event" add constraint "scheduling_event_tenant_id_connection_id_external_id_unique" unique ("tenant_id", "connection_id", "external_id");`,
    )
    this.addSql(
      `create table "scheduling_agent_task" ("id" uuid not null, "created_at" timestamptz(3) not null default now(), "updated_at" timestamptz(3) not null default now(), "tenant_id" uuid not null, "source" text not null, "type" text not null, "status" text not null default 'QUEUED', "request" jsonb not null default '{}', "proposals" jsonb not null default '[]', "decision_id" uuid null, "event_id" uuid null, "version" int not null default 1, primary key ("id"));`,
    )
    this.addSql(
      `create index "scheduling_agent_task_tenant_id_status_created_at_index" on "scheduling_agent_task" ("tenant_id", "status", "created_at");`,
    )
    this.addSql(`create index "scheduling_agent_task_event_id_index" on "scheduling_agent_task" ("event_id");`)
    this.addSql(
      `create table "event_reminder" ("id" uuid not null, "created_at" timestamptz(3) not null default now(), "updated_at" timestamptz(3) not null default now(), "tenant_id" uuid not null, "event_id" uuid not null, "remind_at" timestamptz(3) not null, "channel" text not null, "status" text not null default 'PENDING', "due_at" timestamptz(3) not null, "sent_at" timestamptz(3) null, "error" text null, "attempts" int not null default 0, primary key ("id"));`,
    )
    this.addSql(`create index "event_reminder_tenant_id_status_due_at_index" on "event_reminder" ("tenant_id", "status", "due_at");`)
    this.addSql(`create index "event_reminder_event_id_index" on "event_reminder" ("event_id");`)
    this.addSql(
      `alter table "calendar_connection" add constraint "calendar_connection_user_id_foreign" foreign key ("user_id") references "app_user" ("id");`,
    )
    this.addSql(
      `alter table "calendar_connection" add constraint "calendar_connection_token" check ((status = 'REVOKED') = (token_ref is null));`,
    )
    this.addSql(
      `alter table "calendar_connection" add constraint "calendar_connection_provider_check" check ("provider" in ('GOOGLE', 'OUTLOOK', 'APPLE', 'ZOOM'));`,
    )
    this.addSql(
      `alter table "calendar_connection" add constraint "calendar_connection_status_check" check ("status" in ('ACTIVE', 'EXPIRED', 'REVOKED'));`,
    )
    this.addSql(
      `create trigger "touch" before update on "calendar_connection" for each row when (new.updated_at is not distinct from old.updated_at and (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on')) execute function daybook_touch();`,
    )
    this.addSql(
      `create trigger "guard_identity" before update on "calendar_connection" for each row when (new.tenant_id is distinct from old.tenant_id or new.id is distinct from old.id or new.user_id is distinct from old.user_id or new.provider is distinct from old.provider or new.external_account is distinct from old.external_account) execute function daybook_refuse_identity_change('tenant_id', 'id', 'user_id', 'provider', 'external_account');`,
    )
    this.addSql(
      `create or replace function "calendar_connection_guard_insert_fn"() returns trigger as $$ begin if exists (select from inserted n where n.user_id is not null and not exists (select from "app_user" t where t.id = n.user_id)) then raise exception using errcode = '23503', table = 'calendar_connection', constraint = 'calendar_connection_user_id_foreign', message = 'insert or update on table "calendar_connection" violates foreign key constraint "calendar_connection_user_id_foreign"', detail = 'Key is not present in table "app_user".'; end if; return null; end; $$ language plpgsql set search_path = "public", pg_temp;`,
    )
    this.addSql(
      `create trigger "guard_insert" after insert on "calendar_connection" referencing new table as inserted for each statement execute function "calendar_connection_guard_insert_fn"();`,
    )
    this.addSql(
      `create or replace function "calendar_connection_guard_update_fn"() returns trigger as $$ begin if new.user_id is distinct from old.user_id and new.user_id is not null and not exists (select from "app_user" t where t.id = new.user_id) then raise exception using errcode = '23503', table = 'calendar_connection', constraint = 'calendar_connection_user_id_foreign', message = 'insert or update on table "calendar_connection" violates foreign key constraint "calendar_connection_user_id_foreign"', detail = 'Key is not present in table "app_user".'; end if; return null; end; $$ language plpgsql set search_path = "public", pg_temp;`,
    )
    this.addSql(
      `create trigger "guard_update" after update on "calendar_connection" for each row when (new.user_id is distinct from old.user_id) execute function "calendar_connection_guard_update_fn"();`,
    )
    this.addSql(
      `create trigger "audit_insert" after insert on "calendar_connection" referencing new table as new_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('calendar-connection', 'tenant_id', 'version', '{token_ref}', '1', '{external_account}', 'user_id');`,
    )
    this.addSql(
      `create trigger "audit_update" after update on "calendar_connection" referencing old table as old_rows new table as new_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('calendar-connection', 'tenant_id', 'version', '{token_ref}', '1', '{external_account}', 'user_id');`,
    )
    this.addSql(
      `create trigger "audit_delete" after delete on "calendar_connection" referencing old table as old_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('calendar-connection', 'tenant_id', 'version', '{token_ref}', '1', '{external_account}', 'user_id');`,
    )
    this.addSql(`alter table "calendar_connection" enable row level security;`)
    this.addSql(`alter table "calendar_connection" force row level security;`)
    this.addSql(
      `create policy "tenant" on "calendar_connection" using (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid) with check (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid);`,
    )
    this.addSql(
      `alter table "scheduling_event" add constraint "scheduling_event_organizer_id_foreign" foreign key ("organizer_id") references "app_user" ("id");`,
    )
    this.addSql(
      `alter table "scheduling_event" add constraint "scheduling_event_connection_id_foreign" foreign key ("connection_id") references "calendar_connection" ("id") on delete restrict;`,
    )
    this.addSql(`alter table "scheduling_event" add constraint "scheduling_event_period" check (starts_at < ends_at);`)
    this.addSql(
      `alter table "scheduling_event" add constraint "scheduling_event_external" check (external_id is null or connection_id is not null);`,
    )
    this.addSql(
      `alter table "scheduling_event" add constraint "scheduling_event_no_overlap" exclude using gist (daybook_uuid_range(tenant_id, tenant_id, '[]') with =, daybook_uuid_range(organizer_id, organizer_id, '[]') with =, tstzrange(starts_at, ends_at) with &&) where (status in ('SCHEDULED', 'CONFIRMED'));`,
    )
    this.addSql(
      `alter table "scheduling_event" add constraint "scheduling_event_status_check" check ("status" in ('SCHEDULED', 'CONFIRMED', 'CANCELLED', 'COMPLETED', 'CONFLICT'));`,
    )
    this.addSql(
      `create trigger "touch" before update on "scheduling_event" for each row when (new.updated_at is not distinct from old.updated_at and (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on')) execute function daybook_touch();`,
    )
    this.addSql(
      `create trigger "guard_identity" before update on "scheduling_event" for each row when (new.tenant_id is distinct from old.tenant_id or new.id is distinct from old.id) execute function daybook_refuse_identity_change('tenant_id', 'id');`,
    )
    this.addSql(
      `create or replace function "scheduling_event_guard_insert_fn"() returns trigger as $$ begin if exists (select from inserted n where n.organizer_id is not null and not exists (select from "app_user" t where t.id = n.organizer_id)) then raise exception using errcode = '23503', table = 'scheduling_event', constraint = 'scheduling_event_organizer_id_foreign', message = 'insert or update on table "scheduling_event" violates foreign key constraint "scheduling_event_organizer_id_foreign"', detail = 'Key is not present in table "app_user".'; end if; if exists (select from inserted n where n.connection_id is not null and not exists (select from "calendar_connection" t where t.id = n.connection_id and t.tenant_id = n.tenant_id)) then raise exception using errcode = '23503', table = 'scheduling_event', constraint = 'scheduling_event_connection_id_foreign', message = 'insert or update on table "scheduling_event" violates foreign key constraint "scheduling_event_connection_id_foreign"', detail = 'Key is not present in table "calendar_connection".'; end if; return null; end; $$ language plpgsql set search_path = "public", pg_temp;`,
    )
    this.addSql(
      `create trigger "guard_insert" after insert on "scheduling_event" referencing new table as inserted for each statement execute function "scheduling_event_guard_insert_fn"();`,
    )
    this.addSql(
      `create or replace function "scheduling_event_guard_update_fn"() returns trigger as $$ begin if new.organizer_id is distinct from old.organizer_id and new.organizer_id is not null and not exists (select from "app_user" t where t.id = new.organizer_id) then raise exception using errcode = '23503', table = 'scheduling_event', constraint = 'scheduling_event_organizer_id_foreign', message = 'insert or update on table "scheduling_event" violates foreign key constraint "scheduling_event_organizer_id_foreign"', detail = 'Key is not present in table "app_user".'; end if; if new.connection_id is distinct from old.connection_id and new.connection_id is not null and not exists (select from "calendar_connection" t where t.id = new.connection_id and t.tenant_id = new.tenant_id) then raise exception using errcode = '23503', table = 'scheduling_event', constraint = 'scheduling_event_connection_id_foreign', message = 'insert or update on table "scheduling_event" violates foreign key constraint "scheduling_event_connection_id_foreign"', detail = 'Key is not present in table "calendar_connection".'; end if; return null; end; $$ language plpgsql set search_path = "public", pg_temp;`,
    )
    this.addSql(
      `create trigger "guard_update" after update on "scheduling_event" for each row when (new.organizer_id is distinct from old.organizer_id or new.connection_id is distinct from old.connection_id) execute function "scheduling_event_guard_update_fn"();`,
    )
    this.addSql(
      `create trigger "audit_insert" after insert on "scheduling_event" referencing new table as new_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('scheduling-event', 'tenant_id', 'version', '{}');`,
    )
    this.addSql(
      `create trigger "audit_update" after update on "scheduling_event" referencing old table as old_rows new table as new_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('scheduling-event', 'tenant_id', 'version', '{}');`,
    )
    this.addSql(
      `create trigger "audit_delete" after delete on "scheduling_event" referencing old table as old_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('scheduling-event', 'tenant_id', 'version', '{}');`,
    )
    this.addSql(`alter table "scheduling_event" enable row level security;`)
    this.addSql(`alter table "scheduling_event" force row level security;`)
    this.addSql(
      `create policy "tenant" on "scheduling_event" using (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid) with check (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid);`,
    )
    this.addSql(
      `alter table "scheduling_agent_task" add constraint "scheduling_agent_task_event_id_foreign" foreign key ("event_id") references "scheduling_event" ("id") on delete restrict;`,
    )
    this.addSql(
      `alter table "scheduling_agent_task" add constraint "scheduling_agent_task_event" check (type = 'FIND_TIME' or event_id is not null);`,
    )
    this.addSql(
      `alter table "scheduling_agent_task" add constraint "scheduling_agent_task_found" check (type <> 'FIND_TIME' or (status = 'DONE') = (event_id is not null));`,
    )
    this.addSql(
      `alter table "scheduling_agent_task" add constraint "scheduling_agent_task_proposed" check (status <> 'PROPOSED' or decision_id is not null);`,
    )
    this.addSql(
      `alter table "scheduling_agent_task" add constraint "scheduling_agent_task_source_check" check ("source" in ('FORM', 'EMAIL', 'CHAT', 'API', 'CALL'));`,
    )
    this.addSql(
      `alter table "scheduling_agent_task" add constraint "scheduling_agent_task_type_check" check ("type" in ('FIND_TIME', 'RESCHEDULE', 'CANCEL', 'SUMMARIZE'));`,
    )
    this.addSql(
      `alter table "scheduling_agent_task" add constraint "scheduling_agent_task_status_check" check ("status" in ('QUEUED', 'RUNNING', 'PROPOSED', 'DONE', 'FAILED'));`,
    )
    this.addSql(
      `create trigger "touch" before update on "scheduling_agent_task" for each row when (new.updated_at is not distinct from old.updated_at and (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on')) execute function daybook_touch();`,
    )
    this.addSql(
      `create trigger "guard_identity" before update on "scheduling_agent_task" for each row when (new.tenant_id is distinct from old.tenant_id or new.id is distinct from old.id or new.source is distinct from old.source or new.type is distinct from old.type) execute function daybook_refuse_identity_change('tenant_id', 'id', 'source', 'type');`,
    )
    this.addSql(
      `create or replace function "scheduling_agent_task_guard_insert_fn"() returns trigger as $$ begin if exists (select from inserted n where n.event_id is not null and not exists (select from "scheduling_event" t where t.id = n.event_id and t.tenant_id = n.tenant_id)) then raise exception using errcode = '23503', table = 'scheduling_agent_task', constraint = 'scheduling_agent_task_event_id_foreign', message = 'insert or update on table "scheduling_agent_task" violates foreign key constraint "scheduling_agent_task_event_id_foreign"', detail = 'Key is not present in table "scheduling_event".'; end if; return null; end; $$ language plpgsql set search_path = "public", pg_temp;`,
    )
    this.addSql(
      `create trigger "guard_insert" after insert on "scheduling_agent_task" referencing new table as inserted for each statement execute function "scheduling_agent_task_guard_insert_fn"();`,
    )
    this.addSql(
      `create or replace function "scheduling_agent_task_guard_update_fn"() returns trigger as $$ begin if new.event_id is distinct from old.event_id and new.event_id is not null and not exists (select from "scheduling_event" t where t.id = new.event_id and t.tenant_id = new.tenant_id) then raise exception using errcode = '23503', table = 'scheduling_agent_task', constraint = 'scheduling_agent_task_event_id_foreign', message = 'insert or update on table "scheduling_agent_task" violates foreign key constraint "scheduling_agent_task_event_id_foreign"', detail = 'Key is not present in table "scheduling_event".'; end if; return null; end; $$ language plpgsql set search_path = "public", pg_temp;`,
    )
    this.addSql(
      `create trigger "guard_update" after update on "scheduling_agent_task" for each row when (new.event_id is distinct from old.event_id) execute function "scheduling_agent_task_guard_update_fn"();`,
    )
    this.addSql(
      `create trigger "audit_insert" after insert on "scheduling_agent_task" referencing new table as new_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('scheduling-agent-task', 'tenant_id', 'version', '{}');`,
    )
    this.addSql(
      `create trigger "audit_update" after update on "scheduling_agent_task" referencing old table as old_rows new table as new_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('scheduling-agent-task', 'tenant_id', 'version', '{}');`,
    )
    this.addSql(
      `create trigger "audit_delete" after delete on "scheduling_agent_task" referencing old table as old_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('scheduling-agent-task', 'tenant_id', 'version', '{}');`,
    )
    this.addSql(`alter table "scheduling_agent_task" enable row level security;`)
    this.addSql(`alter table "scheduling_agent_task" force row level security;`)
    this.addSql(
      `create policy "tenant" on "scheduling_agent_task" using (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid) with check (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid);`,
    )
    this.addSql(
      `alter table "event_reminder" add constraint "event_reminder_event_id_foreign" foreign key ("event_id") references "scheduling_event" ("id") on delete cascade;`,
    )
    this.addSql(`alter table "event_reminder" add constraint "event_reminder_sent" check ((status = 'SENT') = (sent_at is not null));`)
    this.addSql(`alter table "event_reminder" add constraint "event_reminder_attempts" check (attempts >= 0 and attempts <= 5);`)
    this.addSql(`alter table "event_reminder" add constraint "event_reminder_channel_check" check ("channel" in ('EMAIL', 'SMS', 'CHAT'));`)
    this.addSql(
      `alter table "event_reminder" add constraint "event_reminder_status_check" check ("status" in ('PENDING', 'SENT', 'FAILED'));`,
    )
    this.addSql(
      `create trigger "touch" before update on "event_reminder" for each row when (new.updated_at is not distinct from old.updated_at and (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on')) execute function daybook_touch();`,
    )
    this.addSql(
      `create trigger "guard_identity" before update on "event_reminder" for each row when (new.tenant_id is distinct from old.tenant_id or new.id is distinct from old.id or new.event_id is distinct from old.event_id or new.channel is distinct from old.channel) execute function daybook_refuse_identity_change('tenant_id', 'id', 'event_id', 'channel');`,
    )
    this.addSql(
      `create or replace function "event_reminder_guard_insert_fn"() returns trigger as $$ begin if exists (select from inserted n where n.event_id is not null and not exists (select from "scheduling_event" t where t.id = n.event_id and t.tenant_id = n.tenant_id)) then raise exception using errcode = '23503', table = 'event_reminder', constraint = 'event_reminder_event_id_foreign', message = 'insert or update on table "event_reminder" violates foreign key constraint "event_reminder_event_id_foreign"', detail = 'Key is not present in table "scheduling_event".'; end if; return null; end; $$ language plpgsql set search_path = "public", pg_temp;`,
    )
    this.addSql(
      `create trigger "guard_insert" after insert on "event_reminder" referencing new table as inserted for each statement execute function "event_reminder_guard_insert_fn"();`,
    )
    this.addSql(
      `create or replace function "event_reminder_guard_update_fn"() returns trigger as $$ begin if new.event_id is distinct from old.event_id and new.event_id is not null and not exists (select from "scheduling_event" t where t.id = new.event_id and t.tenant_id = new.tenant_id) then raise exception using errcode = '23503', table = 'event_reminder', constraint = 'event_reminder_event_id_foreign', message = 'insert or update on table "event_reminder" violates foreign key constraint "event_reminder_event_id_foreign"', detail = 'Key is not present in table "scheduling_event".'; end if; return null; end; $$ language plpgsql set search_path = "public", pg_temp;`,
    )
    this.addSql(
      `create trigger "guard_update" after update on "event_reminder" for each row when (new.event_id is distinct from old.event_id) execute function "event_reminder_guard_update_fn"();`,
    )
    this.addSql(
      `create trigger "audit_insert" after insert on "event_reminder" referencing new table as new_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('event-reminder', 'tenant_id', '', '{}');`,
    )
    this.addSql(
      `create trigger "audit_update" after update on "event_reminder" referencing old table as old_rows new table as new_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('event-reminder', 'tenant_id', '', '{}');`,
    )
    this.addSql(
      `create trigger "audit_delete" after delete on "event_reminder" referencing old table as old_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('event-reminder', 'tenant_id', '', '{}');`,
    )
    this.addSql(`alter table "event_reminder" enable row level security;`)
    this.addSql(`alter table "event_reminder" force row level security;`)
    this.addSql(
      `create policy "tenant" on "event_reminder" using (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid) with check (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid);`,
    )
  }

  override down(): void {
    this.addSql(`drop table "event_reminder";`)
    this.addSql(`drop table "scheduling_agent_task";`)
    this.addSql(`drop table "scheduling_event";`)
    this.addSql(`drop table "calendar_connection";`)
    this.addSql(`drop type daybook_uuid_range;`)
    this.addSql(`drop function "calendar_connection_guard_insert_fn";`)
    this.addSql(`drop function "calendar_connection_guard_update_fn";`)
    this.addSql(`drop function "scheduling_event_guard_insert_fn";`)
    this.addSql(`drop function "scheduling_event_guard_update_fn";`)
    this.addSql(`drop function "scheduling_agent_task_guard_insert_fn";`)
    this.addSql(`drop function "scheduling_agent_task_guard_update_fn";`)
    this.addSql(`drop function "event_reminder_guard_insert_fn";`)
    this.addSql(`drop function "event_reminder_guard_update_fn";`)
  }
}
