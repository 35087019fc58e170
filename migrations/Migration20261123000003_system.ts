import { Migration } from '@mikro-orm/migrations'

/** Settings, seed runs, idempotency keys and webhooks. */
export class Migration20261123000003_system extends Migration {
  override up(): void {
    this.addSql(
      `create table "idempotency_key" ("id" uuid not null, "created_at" timestamptz(3) not null default now(), "updated_at" timestamptz(3) not null default now(), "tenant_id" uuid not null, "key" text not null, "principal" text not null, "method" text not null, "route" text not null, "request_hash" text not null, "status" text not null default 'IN_FLIGHT', "response_status" int null, "response_headers" jsonb null, "response_body" jsonb null, "expires_at" timestamptz(3) not null, primary key ("id"));`,
    )
    this.addSql(`create index "idempotency_key_tenant_id_expires_at_index" on "idempotency_key" ("tenant_id", "expires_at");`)
    this.addSql(
      `alter table "idempotency_key" add constraint "idempotency_key_tenant_id_principal_key_unique" unique ("tenant_id", "principal", "key");`,
    )
    this.addSql(
      `create table "seed_run" ("id" uuid not null, "created_at" timestamptz(3) not null default now(), "updated_at" timestamptz(3) not null default now(), "seeder" text not null, "checksum" text not null, "mode" text not null, "rows" int not null default 0, "ran_at" timestamptz(3) not null, primary key ("id"));`,
    )
    this.addSql(`create index "seed_run_seeder_ran_at_index" on "seed_run" ("seeder", "ran_at");`)
    this.addSql(
      `create table "system_setting" ("id" uuid not null, "created_at" timestamptz(3) not null default now(), "updated_at" timestamptz(3) not null default now(), "tenant_id" uuid not null, "key" text not null, "value" jsonb not null, "updated_by_id" uuid null, "version" int not null default 1, primary key ("id"));`,
    )
    this.addSql(`create index "system_setting_updated_by_id_index" on "system_setting" ("updated_by_id");`)
    this.addSql(`alter table "system_setting" add constraint "system_setting_tenant_id_key_unique" unique ("tenant_id", "key");`)
    this.addSql(
      `create table "webhook_endpoint" ("id" uuid not null, "created_at" timestamptz(3) not null default now(), "updated_at" timestamptz(3) not null default now(), "tenant_id" uuid not null, "url" text not null, "secret_refs" jsonb not null, "events" jsonb not null, "is_active" boolean not null default true, "failure_count" int not null default 0, "disabled_at" timestamptz(3) null, "version" int not null default 1, primary key ("id"));`,
    )
    this.addSql(`alter table "webhook_endpoint" add constraint "webhook_endpoint_tenant_id_url_unique" unique ("tenant_id", "url");`)
    this.addSql(
      `create table "webhook_delivery" ("id" uuid not null, "created_at" timestamptz(3) not null default now(), "updated_at" timestamptz(3) not null default now(), "tenant_id" uuid not null, "endpoint_id" uuid not null, "event_id" uuid not null, "event_type" text not null, "attempt" int not null default 0, "status" text not null default 'PENDING', "response_status" int null, "error" text null, "next_attempt_at" timestamptz(3) null, "duration_ms" int null, primary key ("id"));`,
    )
    this.addSql(`create index "webhook_delivery_tenant_id_next_attempt_at_index" on "webhook_delivery" ("tenant_id", "next_attempt_at");`)
    this.addSql(
      `create index "webhook_delivery_tenant_id_status_updated_at_index" on "webhook_delivery" ("tenant_id", "status", "updated_at");`,
    )
    this.addSql(`create index "webhook_delivery_endpoint_id_index" on "webhook_delivery" ("endpoint_id");`)
    this.addSql(
      `alter table "webhook_delivery" add constraint "webhook_delivery_tenant_id_endpoint_id_event_id_unique" unique ("tenant_id", "endpoint_id", "event_id");`,
    )
    this.addSql(
      `alter table "idempotency_key" add constraint "idempotency_key_answered" check ((status = 'DONE') = (response_status is not null));`,
    )
    this.addSql(`alter table "idempotency_key" add constraint "idempotency_key_status_check" check ("status" in ('IN_FLIGHT', 'DONE'));`)
    this.addSql(
      `create trigger "touch" before update on "idempotency_key" for each row when (new.updated_at is not distinct from old.updated_at and (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on')) execute function daybook_touch();`,
    )
    this.addSql(
      `create trigger "guard_identity" before update on "idempotency_key" for each row when (new.tenant_id is distinct from old.tenant_id or new.id is distinct from old.id) execute function daybook_refuse_identity_change('tenant_id', 'id');`,
    )
    this.addSql(`alter table "idempotency_key" enable row level security;`)
    this.addSql(`alter table "idempotency_key" force row level security;`)
    this.addSql(
      `create policy "tenant" on "idempotency_key" using (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid) with check (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid);`,
    )
    this.addSql(
      `create trigger "touch" before update on "seed_run" for each row when (new.updated_at is not distinct from old.updated_at and (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on')) execute function daybook_touch();`,
    )
    this.addSql(
      `alter table "system_setting" add constraint "system_setting_updated_by_id_foreign" foreign key ("updated_by_id") references "app_user" ("id") on delete set null;`,
    )
    this.addSql(
      `create trigger "touch" before update on "system_setting" for each row when (new.updated_at is not distinct from old.updated_at and (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on')) execute function daybook_touch();`,
    )
    this.addSql(
      `create trigger "guard_identity" before update on "system_setting" for each row when (new.tenant_id is distinct from old.tenant_id or new.id is distinct from old.id or new.key is distinct from old.key) execute function daybook_refuse_identity_change('tenant_id', 'id', 'key');`,
    )
    this.addSql(
      `create or replace function "system_setting_guard_insert_fn"() returns trigger as $$ begin if exists (select from inserted n where n.updated_by_id is not null and not exists (select from "app_user" t where t.id = n.updated_by_id)) then raise exception using errcode = '23503', table = 'system_setting', constraint = 'system_setting_updated_by_id_foreign', message = 'insert or update on table "system_setting" violates foreign key constraint "system_setting_updated_by_id_foreign"', detail = 'Key is not present in table "app_user".'; end if; return null; end; $$ language plpgsql set search_path = "public", pg_temp;`,
    )
    this.addSql(
      `create trigger "guard_insert" after insert on "system_setting" referencing new table as inserted for each statement execute function "system_setting_guard_insert_fn"();`,
    )
    this.addSql(
      `create or replace function "system_setting_guard_update_fn"() returns trigger as $$ begin if new.updated_by_id is distinct from old.updated_by_id and new.updated_by_id is not null and not exists (select from "app_user" t where t.id = new.updated_by_id) then raise exception using errcode = '23503', table = 'system_setting', constraint = 'system_setting_updated_by_id_foreign', message = 'insert or update on table "system_setting" violates foreign key constraint "system_setting_updated_by_id_foreign"', detail = 'Key is not present in table "app_user".'; end if; return null; end; $$ language plpgsql set search_path = "public", pg_temp;`,
    )
    this.addSql(
      `create trigger "guard_update" after update on "system_setting" for each row when (new.updated_by_id is distinct from old.updated_by_id) execute function "system_setting_guard_update_fn"();`,
    )
    this.addSql(
      `create trigger "audit_insert" after insert on "system_setting" referencing new table as new_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('system-setting', 'tenant_id', 'version', '{}');`,
    )
    this.addSql(
      `create trigger "audit_update" after update on "system_setting" referencing old table as old_rows new table as new_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('system-setting', 'tenant_id', 'version', '{}');`,
    )
    this.addSql(
      `create trigger "audit_delete" after delete on "system_setting" referencing old table as old_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('system-setting', 'tenant_id', 'version', '{}');`,
    )
    this.addSql(`alter table "system_setting" enable row level security;`)
    this.addSql(`alter table "system_setting" force row level security;`)
    this.addSql(
      `create policy "tenant" on "system_setting" using (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid) with check (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid);`,
    )
    this.addSql(`alter table "webhook_endpoint" add constraint "webhook_endpoint_disabled" check (is_active = (disabled_at is null));`)
    this.addSql(
      `create trigger "touch" before update on "webhook_endpoint" for each row when (new.updated_at is not distinct from old.updated_at and (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on')) execute function daybook_touch();`,
    )
    this.addSql(
      `create trigger "guard_identity" before update on "webhook_endpoint" for each row when (new.tenant_id is distinct from old.tenant_id or new.id is distinct from old.id) execute function daybook_refuse_identity_change('tenant_id', 'id');`,
    )
    this.addSql(
      `create trigger "audit_insert" after insert on "webhook_endpoint" referencing new table as new_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('webhook-endpoint', 'tenant_id', 'version', '{secret_refs}');`,
    )
    this.addSql(
      `create trigger "audit_update" after update on "webhook_endpoint" referencing old table as old_rows new table as new_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('webhook-endpoint', 'tenant_id', 'version', '{secret_refs}');`,
    )
    this.addSql(
      `create trigger "audit_delete" after delete on "webhook_endpoint" referencing old table as old_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('webhook-endpoint', 'tenant_id', 'version', '{secret_refs}');`,
    )
    this.addSql(`alter table "webhook_endpoint" enable row level security;`)
    this.addSql(`alter table "webhook_endpoint" force row level security;`)
    this.addSql(
      `create policy "tenant" on "webhook_endpoint" using (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid) with check (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid);`,
    )
    this.addSql(
      `alter table "webhook_delivery" add constraint "webhook_delivery_endpoint_id_foreign" foreign key ("endpoint_id") references "webhook_endpoint" ("id") on delete cascade;`,
    )
    this.addSql(
      `alter table "webhook_delivery" add constraint "webhook_delivery_next" check ((status = 'OK' or status = 'DEAD') = (next_attempt_at is null));`,
    )
    this.addSql(`alter table "webhook_delivery" add constraint "webhook_delivery_attempt" check (attempt >= 0);`)
    this.addSql(
      `alter table "webhook_delivery" add constraint "webhook_delivery_status_check" check ("status" in ('PENDING', 'OK', 'FAILED', 'DEAD'));`,
    )
    this.addSql(
      `create trigger "touch" before update on "webhook_delivery" for each row when (new.updated_at is not distinct from old.updated_at and (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on')) execute function daybook_touch();`,
    )
    this.addSql(
      `create trigger "guard_identity" before update on "webhook_delivery" for each row when (new.tenant_id is distinct from old.tenant_id or new.id is distinct from old.id or new.endpoint_id is distinct from old.endpoint_id or new.event_id is distinct from old.event_id or new.event_type is distinct from old.event_type) execute function daybook_refuse_identity_change('tenant_id', 'id', 'endpoint_id', 'event_id', 'event_type');`,
    )
    this.addSql(
      `create or replace function "webhook_delivery_guard_insert_fn"() returns trigger as $$ begin if exists (select from inserted n where n.endpoint_id is not null and not exists (select from "webhook_endpoint" t where t.id = n.endpoint_id and t.tenant_id = n.tenant_id)) then raise exception using errcode = '23503', table = 'webhook_delivery', constraint = 'webhook_delivery_endpoint_id_foreign', message = 'insert or update on table "webhook_delivery" violates foreign key constraint "webhook_delivery_endpoint_id_foreign"', detail = 'Key is not present in table "webhook_endpoint".'; end if; return null; end; $$ language plpgsql set search_path = "public", pg_temp;`,
    )
    this.addSql(
      `create trigger "guard_insert" after insert on "webhook_delivery" referencing new table as inserted for each statement execute function "webhook_delivery_guard_insert_fn"();`,
    )
    this.addSql(
      `create or replace function "webhook_delivery_guard_update_fn"() returns trigger as $$ begin if new.endpoint_id is distinct from old.endpoint_id and new.endpoint_id is not null and not exists (select from "webhook_endpoint" t where t.id = new.endpoint_id and t.tenant_id = new.tenant_id) then raise exception using errcode = '23503', table = 'webhook_delivery', constraint = 'webhook_delivery_endpoint_id_foreign', message = 'insert or update on table "webhook_delivery" violates foreign key constraint "webhook_delivery_endpoint_id_foreign"', detail = 'Key is not present in table "webhook_endpoint".'; end if; return null; end; $$ language plpgsql set search_path = "public", pg_temp;`,
    )
    this.addSql(
      `create trigger "guard_update" after update on "webhook_delivery" for each row when (new.endpoint_id is distinct from old.endpoint_id) execute function "webhook_delivery_guard_update_fn"();`,
    )
    this.addSql(`alter table "webhook_delivery" enable row level security;`)
    this.addSql(`alter table "webhook_delivery" force row level security;`)
    this.addSql(
      `create policy "tenant" on "webhook_delivery" using (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid) with check (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid);`,
    )
  }

  override down(): void {
    this.addSql(`drop table "webhook_delivery";`)
    this.addSql(`drop table "webhook_endpoint";`)
    this.addSql(`drop table "system_setting";`)
    this.addSql(`drop table "seed_run";`)
    this.addSql(`drop table "idempotency_key";`)
    this.addSql(`drop function "system_setting_guard_insert_fn";`)
    this.addSql(`drop function "system_setting_guard_update_fn";`)
    this.addSql(`drop function "webhook_delivery_guard_insert_fn";`)
    this.addSql(`drop function "webhook_delivery_guard_update_fn";`)
  }
}
