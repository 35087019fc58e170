import { Migration } from '@mikro-orm/migrations'

/** Plans, subscriptions, usage, quotas, the provider's events. New tables only, so nothing is locked. */
export class Migration20261122000003_billing extends Migration {
  override up(): void {
    this.addSql(
      `create table "plan" ("id" uuid not null, "created_at" timestamptz(3) not null default now(), "updated_at" timestamptz(3) not null default now(), "key" text not null, "name" text not null, "limits" jsonb not null, "prices" jsonb not null, primary key ("id"));`,
    )
    this.addSql(`alter table "plan" add constraint "plan_key_unique" unique ("key");`)
    this.addSql(
      `create table "quota_counter" ("id" uuid not null, "created_at" timestamptz(3) not null default now(), "updated_at" timestamptz(3) not null default now(), "tenant_id" uuid not null, "metric" text not null, "period_start" timestamptz(3) not null, "reset_at" timestamptz(3) not null, "used" bigint not null default '0', "limit" bigint null, primary key ("id"));`,
    )
    this.addSql(
      `alter table "quota_counter" add constraint "quota_counter_tenant_id_metric_period_start_unique" unique ("tenant_id", "metric", "period_start");`,
    )
    this.addSql(
      `create table "subscription" ("id" uuid not null, "created_at" timestamptz(3) not null default now(), "updated_at" timestamptz(3) not null default now(), "tenant_id" uuid not null, "plan_id" uuid not null, "status" text not null default 'ACTIVE', "stripe_customer_id" text null, "stripe_subscription_id" text null, "stripe_price_id" text null, "current_period_start" timestamptz(3) not null, "current_period_end" timestamptz(3) not null, "cancel_at" timestamptz(3) null, "canceled_at" timestamptz(3) null, "trial_ends_at" timestamptz(3) null, "told_at" timestamptz(3) null, "version" int not null default 1, primary key ("id"));`,
    )
    this.addSql(`create index "subscription_plan_id_index" on "subscription" ("plan_id");`)
    this.addSql(
      `alter table "subscription" add constraint "subscription_tenant_id_stripe_subscription_id_unique" unique ("tenant_id", "stripe_subscription_id");`,
    )
    this.addSql(`create unique index "subscription_one_live" on "subscription" ("tenant_id") where status <> 'CANCELED';`)
    this.addSql(
      `create table "billing_event" ("id" uuid not null, "created_at" timestamptz(3) not null default now(), "updated_at" timestamptz(3) not null default now(), "tenant_id" uuid not null, "provider" text not null, "provider_event_id" text not null, "type" text not null, "payload" jsonb not null, "status" text not null default 'RECEIVED', "subscription_id" uuid null, "received_at" timestamptz(3) not null, "processed_at" timestamptz(3) null, "error" text null, primary key ("id"));`,
    )
    this.addSql(
      `create index "billing_event_tenant_id_status_received_at_index" on "billing_event" ("tenant_id", "status", "received_at");`,
    )
    this.addSql(`create index "billing_event_subscription_id_index" on "billing_event" ("subscription_id");`)
    this.addSql(
      `alter table "billing_event" add constraint "billing_event_tenant_id_provider_provider_event_id_unique" unique ("tenant_id", "provider", "provider_event_id");`,
    )
    this.addSql(
      `create table "usage_event" ("id" uuid not null, "created_at" timestamptz(3) not null default now(), "updated_at" timestamptz(3) not null default now(), "tenant_id" uuid not null, "metric" text not null, "quantity" int not null, "user_id" uuid null, "api_key_id" uuid null, "request_id" text not null, "route" text null, "duration_ms" int null, "status" int null, "metadata" jsonb not null default '{}', "occurred_at" timestamptz(3) not null, primary key ("id"));`,
    )
    this.addSql(`create index "usage_event_tenant_id_metric_occurred_at_index" on "usage_event" ("tenant_id", "metric", "occurred_at");`)
    this.addSql(`create index "usage_event_user_id_index" on "usage_event" ("user_id");`)
    this.addSql(`create index "usage_event_api_key_id_index" on "usage_event" ("api_key_id");`)
    this.addSql(
      `alter table "usage_event" add constraint "usage_event_tenant_id_request_id_metric_unique" unique ("tenant_id", "request_id", "metric");`,
    )
    this.addSql(`alter table "plan" add constraint "plan_key_check" check ("key" in ('FREE', 'STARTER', 'PROFESSIONAL', 'ENTERPRISE'));`)
    this.addSql(
      `create trigger "touch" before update on "plan" for each row when (new.updated_at is not distinct from old.updated_at and (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on')) execute function daybook_touch();`,
    )
    this.addSql(`alter table "quota_counter" add constraint "quota_counter_within" check (used >= 0);`)
    this.addSql(
      `alter table "quota_counter" add constraint "quota_counter_metric_check" check ("metric" in ('API_CALLS', 'ANALYSES', 'FIXES', 'AUDITS', 'TOKENS'));`,
    )
    this.addSql(
      `create trigger "touch" before update on "quota_counter" for each row when (new.updated_at is not distinct from old.updated_at and (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on')) execute function daybook_touch();`,
    )
    this.addSql(
      `create trigger "guard_identity" before update on "quota_counter" for each row when (new.tenant_id is distinct from old.tenant_id or new.id is distinct from old.id) execute function daybook_refuse_identity_change('tenant_id', 'id');`,
    )
    this.addSql(`alter table "quota_counter" enable row level security;`)
    this.addSql(`alter table "quota_counter" force row level security;`)
    this.addSql(
      `create policy "tenant" on "quota_counter" using (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid) with check (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid);`,
    )
    this.addSql(
      `alter table "subscription" add constraint "subscription_plan_id_foreign" foreign key ("plan_id") references "plan" ("id");`,
    )
    this.addSql(`alter table "subscription" add constraint "subscription_period" check (current_period_start < current_period_end);`)
    this.addSql(
      `alter table "subscription" add constraint "subscription_canceled" check ((status = 'CANCELED') = (canceled_at is not null));`,
    )
    this.addSql(
      `alter table "subscription" add constraint "subscription_status_check" check ("status" in ('TRIALING', 'ACTIVE', 'PAST_DUE', 'CANCELED'));`,
    )
    this.addSql(
      `create trigger "touch" before update on "subscription" for each row when (new.updated_at is not distinct from old.updated_at and (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on')) execute function daybook_touch();`,
    )
    this.addSql(
      `create trigger "guard_identity" before update on "subscription" for each row when (new.tenant_id is distinct from old.tenant_id or new.id is distinct from old.id) execute function daybook_refuse_identity_change('tenant_id', 'id');`,
    )
    this.addSql(
      `create trigger "audit_insert" after insert on "subscription" referencing new table as new_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('subscription', 'tenant_id', 'version', '{}');`,
    )
    this.addSql(
      `create trigger "audit_update" after update on "subscription" referencing old table as old_rows new table as new_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('subscription', 'tenant_id', 'version', '{}');`,
    )
    this.addSql(
      `create trigger "audit_delete" after delete on "subscription" referencing old table as old_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('subscription', 'tenant_id', 'version', '{}');`,
    )
    this.addSql(`alter table "subscription" enable row level security;`)
    this.addSql(`alter table "subscription" force row level security;`)
    this.addSql(
      `create policy "tenant" on "subscription" using (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid) with check (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid);`,
    )
    this.addSql(
      `alter table "billing_event" add constraint "billing_event_subscription_id_foreign" foreign key ("subscription_id") references "subscription" ("id") on delete set null;`,
    )
    this.addSql(
      `alter table "billing_event" add constraint "billing_event_processed" check ((status = 'RECEIVED') = (processed_at is null));`,
    )
    this.addSql(
      `alter table "billing_event" add constraint "billing_event_status_check" check ("status" in ('RECEIVED', 'PROCESSED', 'FAILED', 'IGNORED'));`,
    )
    this.addSql(
      `create trigger "touch" before update on "billing_event" for each row when (new.updated_at is not distinct from old.updated_at and (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on')) execute function daybook_touch();`,
    )
    this.addSql(
      `create trigger "guard_identity" before update on "billing_event" for each row when (new.tenant_id is distinct from old.tenant_id or new.id is distinct from old.id or new.provider is distinct from old.provider or new.provider_event_id is distinct from old.provider_event_id or new.type is distinct from old.type or new.payload is distinct from old.payload) execute function daybook_refuse_identity_change('tenant_id', 'id', 'provider', 'provider_event_id', 'type', 'payload');`,
    )
    this.addSql(
      `create or replace function "billing_event_guard_insert_fn"() returns trigger as $$ begin if exists (select from inserted n where n.subscription_id is not null and not exists (select from "subscription" t where t.id = n.subscription_id and t.tenant_id = n.tenant_id)) then raise exception using errcode = '23503', table = 'billing_event', constraint = 'billing_event_subscription_id_foreign', message = 'insert or update on table "billing_event" violates foreign key constraint "billing_event_subscription_id_foreign"', detail = 'Key is not present in table "subscription".'; end if; return null; end; $$ language plpgsql set search_path = "public", pg_temp;`,
    )
    this.addSql(
      `create trigger "guard_insert" after insert on "billing_event" referencing new table as inserted for each statement execute function "billing_event_guard_insert_fn"();`,
    )
    this.addSql(
      `create or replace function "billing_event_guard_update_fn"() returns trigger as $$ begin if new.subscription_id is distinct from old.subscription_id and new.subscription_id is not null and not exists (select from "subscription" t where t.id = new.subscription_id and t.tenant_id = new.tenant_id) then raise exception using errcode = '23503', table = 'billing_event', constraint = 'billing_event_subscription_id_foreign', message = 'insert or update on table "billing_event" violates foreign key constraint "billing_event_subscription_id_foreign"', detail = 'Key is not present in table "subscription".'; end if; return null; end; $$ language plpgsql set search_path = "public", pg_temp;`,
    )
    this.addSql(
      `create trigger "guard_update" after update on "billing_event" for each row when (new.subscription_id is distinct from old.subscription_id) execute function "billing_event_guard_update_fn"();`,
    )
    this.addSql(
      `create trigger "audit_insert" after insert on "billing_event" referencing new table as new_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('billing-event', 'tenant_id', '', '{}', '1', '{payload}', 'id');`,
    )
    this.addSql(
      `create trigger "audit_update" after update on "billing_event" referencing old table as old_rows new table as new_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('billing-event', 'tenant_id', '', '{}', '1', '{payload}', 'id');`,
    )
    this.addSql(
      `create trigger "audit_delete" after delete on "billing_event" referencing old table as old_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('billing-event', 'tenant_id', '', '{}', '1', '{payload}', 'id');`,
    )
    this.addSql(`alter table "billing_event" enable row level security;`)
    this.addSql(`alter table "billing_event" force row level security;`)
    this.addSql(
      `create policy "tenant" on "billing_event" using (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid) with check (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid);`,
    )
    this.addSql(
      `alter table "usage_event" add constraint "usage_event_user_id_foreign" foreign key ("user_id") references "app_user" ("id") on delete set null;`,
    )
    this.addSql(
      `alter table "usage_event" add constraint "usage_event_api_key_id_foreign" foreign key ("api_key_id") references "api_key" ("id") on delete set null;`,
    )
    this.addSql(`alter table "usage_event" add constraint "usage_event_quantity" check (quantity > 0);`)
    this.addSql(
      `alter table "usage_event" add constraint "usage_event_metric_check" check ("metric" in ('API_CALLS', 'ANALYSES', 'FIXES', 'AUDITS', 'TOKENS'));`,
    )
    this.addSql(
      `create trigger "touch" before update on "usage_event" for each row when (new.updated_at is not distinct from old.updated_at and (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on')) execute function daybook_touch();`,
    )
    this.addSql(
      `create trigger "guard_identity" before update on "usage_event" for each row when (new.tenant_id is distinct from old.tenant_id or new.id is distinct from old.id) execute function daybook_refuse_identity_change('tenant_id', 'id');`,
    )
    this.addSql(
      `create or replace function "usage_event_guard_insert_fn"() returns trigger as $$ begin if exists (select from inserted n where n.user_id is not null and not exists (select from "app_user" t where t.id = n.user_id)) then raise exception using errcode = '23503', table = 'usage_event', constraint = 'usage_event_user_id_foreign', message = 'insert or update on table "usage_event" violates foreign key constraint "usage_event_user_id_foreign"', detail = 'Key is not present in table "app_user".'; end if; if exists (select from inserted n where n.api_key_id is not null and not exists (select from "api_key" t where t.id = n.api_key_id and t.tenant_id = n.tenant_id)) then raise exception using errcode = '23503', table = 'usage_event', constraint = 'usage_event_api_key_id_foreign', message = 'insert or update on table "usage_event" violates foreign key constraint "usage_event_api_key_id_foreign"', detail = 'Key is not present in table "api_key".'; end if; return null; end; $$ language plpgsql set search_path = "public", pg_temp;`,
    )
    this.addSql(
      `create trigger "guard_insert" after insert on "usage_event" referencing new table as inserted for each statement execute function "usage_event_guard_insert_fn"();`,
    )
    this.addSql(
      `create or replace function "usage_event_guard_update_fn"() returns trigger as $$ begin if new.user_id is distinct from old.user_id and new.user_id is not null and not exists (select from "app_user" t where t.id = new.user_id) then raise exception using errcode = '23503', table = 'usage_event', constraint = 'usage_event_user_id_foreign', message = 'insert or update on table "usage_event" violates foreign key constraint "usage_event_user_id_foreign"', detail = 'Key is not present in table "app_user".'; end if; if new.api_key_id is distinct from old.api_key_id and new.api_key_id is not null and not exists (select from "api_key" t where t.id = new.api_key_id and t.tenant_id = new.tenant_id) then raise exception using errcode = '23503', table = 'usage_event', constraint = 'usage_event_api_key_id_foreign', message = 'insert or update on table "usage_event" violates foreign key constraint "usage_event_api_key_id_foreign"', detail = 'Key is not present in table "api_key".'; end if; return null; end; $$ language plpgsql set search_path = "public", pg_temp;`,
    )
    this.addSql(
      `create trigger "guard_update" after update on "usage_event" for each row when (new.user_id is distinct from old.user_id or new.api_key_id is distinct from old.api_key_id) execute function "usage_event_guard_update_fn"();`,
    )
    this.addSql(`alter table "usage_event" enable row level security;`)
    this.addSql(`alter table "usage_event" force row level security;`)
    this.addSql(
      `create policy "tenant" on "usage_event" using (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid) with check (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid);`,
    )
  }

  override down(): void {
    this.addSql(`drop table "usage_event";`)
    this.addSql(`drop table "billing_event";`)
    this.addSql(`drop table "subscription";`)
    this.addSql(`drop table "quota_counter";`)
    this.addSql(`drop table "plan";`)
    this.addSql(`drop function "billing_event_guard_insert_fn";`)
    this.addSql(`drop function "billing_event_guard_update_fn";`)
    this.addSql(`drop function "usage_event_guard_insert_fn";`)
    this.addSql(`drop function "usage_event_guard_update_fn";`)
  }
}
