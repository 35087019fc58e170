import { Migration } from '@mikro-orm/migrations'

/** Profiles, prospects, sequences, campaigns, messages, insights; a task may name a prospect, which locks its table for a moment. */
export class Migration20261123000005_sales extends Migration {
  override up(): void {
    this.addSql(
      `create table "email_sequence" ("id" uuid not null, "created_at" timestamptz(3) not null default now(), "updated_at" timestamptz(3) not null default now(), "tenant_id" uuid not null, "name" text not null, "status" text not null default 'DRAFT', "locale" text not null default 'en', "version" int not null default 1, primary key ("id"));`,
    )
    this.addSql(`alter table "email_sequence" add constraint "email_sequence_tenant_id_name_unique" unique ("tenant_id", "name");`)
    this.addSql(
      `create table "ideal_customer_profile" ("id" uuid not null, "created_at" timestamptz(3) not null default now(), "updated_at" timestamptz(3) not null default now(), "tenant_id" uuid not null, "name" text not null, "industry" text null, "size_min" int null, "size_max" int null, "regions" text[] not null default '{}', "criteria" jsonb not null default '{}', "weights" jsonb not null, "version" int not null default 1, primary key ("id"));`,
    )
    this.addSql(
      `alter table "ideal_customer_profile" add constraint "ideal_customer_profile_tenant_id_name_unique" unique ("tenant_id", "name");`,
    )
    this.addSql(
      `create table "campaign" ("id" uuid not null, "created_at" timestamptz(3) not null default now(), "updated_at" timestamptz(3) not null default now(), "tenant_id" uuid not null, "name" text not null, "sequence_id" uuid not null, "icp_id" uuid null, "status" text not null default 'DRAFT', "starts_at" timestamptz(3) null, "ends_at" timestamptz(3) null, "stats" jsonb not null default '{}', "version" int not null default 1, primary key ("id"));`,
    )
    this.addSql(`create index "campaign_tenant_id_status_starts_at_index" on "campaign" ("tenant_id", "status", "starts_at");`)
    this.addSql(`create index "campaign_sequence_id_index" on "campaign" ("sequence_id");`)
    this.addSql(`create index "campaign_icp_id_index" on "campaign" ("icp_id");`)
    this.addSql(
      `create table "sequence_step" ("id" uuid not null, "created_at" timestamptz(3) not null default now(), "updated_at" timestamptz(3) not null default now(), "tenant_id" uuid not null, "sequence_id" uuid not null, "position" int not null, "delay_hours" int not null default 0, "subject" text null, "body_template" text not null, "channel" text not null default 'EMAIL', primary key ("id"));`,
    )
    this.addSql(`create index "sequence_step_sequence_id_index" on "sequence_step" ("sequence_id");`)
    this.addSql(
      `alter table "sequence_step" add constraint "sequence_step_tenant_id_sequence_id_position_unique" unique ("tenant_id", "sequence_id", "position");`,
    )
    this.addSql(
      `create table "prospect" ("id" uuid not null, "created_at" timestamptz(3) not null default now(), "updated_at" timestamptz(3) not null default now(), "tenant_id" uuid not null, "email" text not null, "first_name" text null, "last_name" text null, "company" text null, "company_domain" text null, "industry" text null, "region" text null, "company_size" int null, "data" jsonb not null default '{}', "score" int null, "score_breakdown" jsonb not null default '[]', "status" text not null default 'NEW', "icp_id" uuid null, "owner_id" uuid null, "locale" text not null default 'en', "version" int not null default 1, "search_vector" tsvector generated always as (setweight(to_tsvector('simple'::regconfig, coalesce(first_name, '')), 'A') || setweight(to_tsvector('simple'::regconfig, coalesce(last_name, '')), 'A') || setweight(to_tsvector('simple'::regconfig, coalesce(email, '')), 'B') || setweight(to_tsvector('simple'::regconfig, coalesce(company, '')), 'B') || setweight(to_tsvector('simple'::regconfig, coalesce(company_domain, '')), 'B')) stored null, "deleted_at" timestamptz(3) null, primary key ("id"));`,
    )
    this.addSql(`create index "prospect_tenant_id_company_domain_index" on "prospect" ("tenant_id", "company_domain");`)
    this.addSql(`create index "prospect_tenant_id_score_index" on "prospect" ("tenant_id", "score");`)
    this.addSql(`create index "prospect_search" on "prospect" using gin ("search_vector");`)
    this.addSql(`create index "prospect_icp_id_index" on "prospect" ("icp_id");`)
    this.addSql(`create index "prospect_owner_id_index" on "prospect" ("owner_id");`)
    this.addSql(`create unique index "prospect_tenant_id_email_unique" on "prospect" ("tenant_id", "email") where deleted_at is null;`)
    this.addSql(
      `create table "message" ("id" uuid not null, "created_at" timestamptz(3) not null default now(), "updated_at" timestamptz(3) not null default now(), "tenant_id" uuid not null, "channel" text not null, "direction" text not null default 'OUTBOUND', "campaign_id" uuid null, "step_id" uuid null, "prospect_id" uuid null, "newsletter_issue_id" uuid null, "subject" text null, "body" text not null, "status" text not null default 'QUEUED', "provider_id" text null, "sent_at" timestamptz(3) null, "opened_at" timestamptz(3) null, "replied_at" timestamptz(3) null, primary key ("id"));`,
    )
    this.addSql(`create index "message_tenant_id_prospect_id_status_index" on "message" ("tenant_id", "prospect_id", "status");`)
    this.addSql(`create index "message_tenant_id_status_created_at_index" on "message" ("tenant_id", "status", "created_at");`)
    this.addSql(`create index "message_tenant_id_newsletter_issue_id_index" on "message" ("tenant_id", "newsletter_issue_id");`)
    this.addSql(`create index "message_campaign_id_index" on "message" ("campaign_id");`)
    this.addSql(`create index "message_step_id_index" on "message" ("step_id");`)
    this.addSql(`create index "message_prospect_id_index" on "message" ("prospect_id");`)
    this.addSql(
      `alter table "message" add constraint "message_tenant_id_campaign_id_prospect_id_step_id_unique" unique ("tenant_id", "campaign_id", "prospect_id", "step_id");`,
    )
    this.addSql(`alter table "message" add constraint "message_tenant_id_provider_id_unique" unique ("tenant_id", "provider_id");`)
    this.addSql(
      `create table "campaign_enrollment" ("id" uuid not null, "created_at" timestamptz(3) not null default now(), "updated_at" timestamptz(3) not null default now(), "tenant_id" uuid not null, "campaign_id" uuid not null, "prospect_id" uuid not null, "next_step" int not null default 1, "next_at" timestamptz(3) not null, "stopped_at" timestamptz(3) null, "stop_reason" text null, primary key ("id"));`,
    )
    this.addSql(
      `create index "campaign_enrollment_tenant_id_next_at_index" on "campaign_enrollment" ("tenant_id", "next_at") where stopped_at is null;`,
    )
    this.addSql(`create index "campaign_enrollment_campaign_id_index" on "campaign_enrollment" ("campaign_id");`)
    this.addSql(`create index "campaign_enrollment_prospect_id_index" on "campaign_enrollment" ("prospect_id");`)
    this.addSql(
      `alter table "campaign_enrollment" add constraint "campaign_enrollment_tenant_id_campaign_id_prospect_id_unique" unique ("tenant_id", "campaign_id", "prospect_id");`,
    )
    this.addSql(
      `create table "ai_insight" ("id" uuid not null, "created_at" timestamptz(3) not null default now(), "updated_at" timestamptz(3) not null default now(), "tenant_id" uuid not null, "subject_type" text not null, "subject_id" uuid not null, "kind" text not null, "title" text not null, "body" text not null, "confidence" numeric(4,3) not null, "status" text not null default 'NEW', "model" text not null, "decided_by_id" uuid null, "decided_at" timestamptz(3) null, "reason" text null, "version" int not null default 1, primary key ("id"));`,
    )
    this.addSql(
      `create index "ai_insight_tenant_id_subject_type_subject_id_status_index" on "ai_insight" ("tenant_id", "subject_type", "subject_id", "status");`,
    )
    this.addSql(`create index "ai_insight_tenant_id_status_created_at_index" on "ai_insight" ("tenant_id", "status", "created_at");`)
    this.addSql(`create index "ai_insight_decided_by_id_index" on "ai_insight" ("decided_by_id");`)
    this.addSql(`alter table "task" add "prospect_id" uuid null;`)
    this.addSql(`create index "task_tenant_id_prospect_id_index" on "task" ("tenant_id", "prospect_id");`)
    this.addSql(
      `alter table "email_sequence" add constraint "email_sequence_status_check" check ("status" in ('DRAFT', 'ACTIVE', 'PAUSED', 'ARCHIVED'));`,
    )
    this.addSql(
      `create trigger "touch" before update on "email_sequence" for each row when (new.updated_at is not distinct from old.updated_at and (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on')) execute function daybook_touch();`,
    )
    this.addSql(
      `create trigger "guard_identity" before update on "email_sequence" for each row when (new.tenant_id is distinct from old.tenant_id or new.id is distinct from old.id) execute function daybook_refuse_identity_change('tenant_id', 'id');`,
    )
    this.addSql(
      `create trigger "audit_insert" after insert on "email_sequence" referencing new table as new_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('email-sequence', 'tenant_id', 'version', '{}');`,
    )
    this.addSql(
      `create trigger "audit_update" after update on "email_sequence" referencing old table as old_rows new table as new_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('email-sequence', 'tenant_id', 'version', '{}');`,
    )
    this.addSql(
      `create trigger "audit_delete" after delete on "email_sequence" referencing old table as old_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('email-sequence', 'tenant_id', 'version', '{}');`,
    )
    this.addSql(`alter table "email_sequence" enable row level security;`)
    this.addSql(`alter table "email_sequence" force row level security;`)
    this.addSql(
      `create policy "tenant" on "email_sequence" using (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid) with check (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid);`,
    )
    this.addSql(
      `alter table "ideal_customer_profile" add constraint "ideal_customer_profile_size" check (size_min >= 0 and size_max >= 0 and size_min <= size_max);`,
    )
    this.addSql(
      `alter table "ideal_customer_profile" add constraint "ideal_customer_profile_weights" check (jsonb_typeof(weights) = 'object' and jsonb_path_match(weights, '$.* < 0') is false and jsonb_path_match(weights, '$.* > 0') is true);`,
    )
    this.addSql(
      `create trigger "touch" before update on "ideal_customer_profile" for each row when (new.updated_at is not distinct from old.updated_at and (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on')) execute function daybook_touch();`,
    )
    this.addSql(
      `create trigger "guard_identity" before update on "ideal_customer_profile" for each row when (new.tenant_id is distinct from old.tenant_id or new.id is distinct from old.id) execute function daybook_refuse_identity_change('tenant_id', 'id');`,
    )
    this.addSql(
      `create trigger "audit_insert" after insert on "ideal_customer_profile" referencing new table as new_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('ideal-customer-profile', 'tenant_id', 'version', '{}');`,
    )
    this.addSql(
      `create trigger "audit_update" after update on "ideal_customer_profile" referencing old table as old_rows new table as new_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('ideal-customer-profile', 'tenant_id', 'version', '{}');`,
    )
    this.addSql(
      `create trigger "audit_delete" after delete on "ideal_customer_profile" referencing old table as old_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('ideal-customer-profile', 'tenant_id', 'version', '{}');`,
    )
    this.addSql(`alter table "ideal_customer_profile" enable row level security;`)
    this.addSql(`alter table "ideal_customer_profile" force row level security;`)
    this.addSql(
      `create policy "tenant" on "ideal_customer_profile" using (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid) with check (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid);`,
    )
    this.addSql(
      `alter table "campaign" add constraint "campaign_sequence_id_foreign" foreign key ("sequence_id") references "email_sequence" ("id");`,
    )
    this.addSql(
      `alter table "campaign" add constraint "campaign_icp_id_foreign" foreign key ("icp_id") references "ideal_customer_profile" ("id") on delete set null;`,
    )
    this.addSql(`alter table "campaign" add constraint "campaign_ends_after_start" check (starts_at < ends_at);`)
    this.addSql(`alter table "campaign" add constraint "campaign_scheduled" check (status <> 'SCHEDULED' or starts_at is not null);`)
    this.addSql(
      `alter table "campaign" add constraint "campaign_status_check" check ("status" in ('DRAFT', 'SCHEDULED', 'RUNNING', 'PAUSED', 'DONE'));`,
    )
    this.addSql(
      `create trigger "touch" before update on "campaign" for each row when (new.updated_at is not distinct from old.updated_at and (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on')) execute function daybook_touch();`,
    )
    this.addSql(
      `create trigger "guard_identity" before update on "campaign" for each row when (new.tenant_id is distinct from old.tenant_id or new.id is distinct from old.id) execute function daybook_refuse_identity_change('tenant_id', 'id');`,
    )
    this.addSql(
      `create or replace function "campaign_guard_insert_fn"() returns trigger as $$ begin if exists (select from inserted n where n.sequence_id is not null and not exists (select from "email_sequence" t where t.id = n.sequence_id and t.tenant_id = n.tenant_id)) then raise exception using errcode = '23503', table = 'campaign', constraint = 'campaign_sequence_id_foreign', message = 'insert or update on table "campaign" violates foreign key constraint "campaign_sequence_id_foreign"', detail = 'Key is not present in table "email_sequence".'; end if; if exists (select from inserted n where n.icp_id is not null and not exists (select from "ideal_customer_profile" t where t.id = n.icp_id and t.tenant_id = n.tenant_id)) then raise exception using errcode = '23503', table = 'campaign', constraint = 'campaign_icp_id_foreign', message = 'insert or update on table "campaign" violates foreign key constraint "campaign_icp_id_foreign"', detail = 'Key is not present in table "ideal_customer_profile".'; end if; return null; end; $$ language plpgsql set search_path = "public", pg_temp;`,
    )
    this.addSql(
      `create trigger "guard_insert" after insert on "campaign" referencing new table as inserted for each statement execute function "campaign_guard_insert_fn"();`,
    )
    this.addSql(
      `create or replace function "campaign_guard_update_fn"() returns trigger as $$ begin if new.sequence_id is distinct from old.sequence_id and new.sequence_id is not null and not exists (select from "email_sequence" t where t.id = new.sequence_id and t.tenant_id = new.tenant_id) then raise exception using errcode = '23503', table = 'campaign', constraint = 'campaign_sequence_id_foreign', message = 'insert or update on table "campaign" violates foreign key constraint "campaign_sequence_id_foreign"', detail = 'Key is not present in table "email_sequence".'; end if; if new.icp_id is distinct from old.icp_id and new.icp_id is not null and not exists (select from "ideal_customer_profile" t where t.id = new.icp_id and t.tenant_id = new.tenant_id) then raise exception using errcode = '23503', table = 'campaign', constraint = 'campaign_icp_id_foreign', message = 'insert or update on table "campaign" violates foreign key constraint "campaign_icp_id_foreign"', detail = 'Key is not present in table "ideal_customer_profile".'; end if; return null; end; $$ language plpgsql set search_path = "public", pg_temp;`,
    )
    this.addSql(
      `create trigger "guard_update" after update on "campaign" for each row when (new.sequence_id is distinct from old.sequence_id or new.icp_id is distinct from old.icp_id) execute function "campaign_guard_update_fn"();`,
    )
    this.addSql(
      `create trigger "audit_insert" after insert on "campaign" referencing new table as new_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('campaign', 'tenant_id', 'version', '{}');`,
    )
    this.addSql(
      `create trigger "audit_update" after update on "campaign" referencing old table as old_rows new table as new_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('campaign', 'tenant_id', 'version', '{}');`,
    )
    this.addSql(
      `create trigger "audit_delete" after delete on "campaign" referencing old table as old_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('campaign', 'tenant_id', 'version', '{}');`,
    )
    this.addSql(`alter table "campaign" enable row level security;`)
    this.addSql(`alter table "campaign" force row level security;`)
    this.addSql(
      `create policy "tenant" on "campaign" using (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid) with check (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid);`,
    )
    this.addSql(
      `alter table "sequence_step" add constraint "sequence_step_sequence_id_foreign" foreign key ("sequence_id") references "email_sequence" ("id") on delete cascade;`,
    )
    this.addSql(`alter table "sequence_step" add constraint "sequence_step_position" check (position > 0);`)
    this.addSql(`alter table "sequence_step" add constraint "sequence_step_delay" check (delay_hours >= 0);`)
    this.addSql(`alter table "sequence_step" add constraint "sequence_step_subject" check (channel <> 'EMAIL' or subject is not null);`)
    this.addSql(`alter table "sequence_step" add constraint "sequence_step_channel_check" check ("channel" in ('EMAIL', 'SMS', 'CHAT'));`)
    this.addSql(
      `create trigger "touch" before update on "sequence_step" for each row when (new.updated_at is not distinct from old.updated_at and (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on')) execute function daybook_touch();`,
    )
    this.addSql(
      `create trigger "guard_identity" before update on "sequence_step" for each row when (new.tenant_id is distinct from old.tenant_id or new.id is distinct from old.id or new.sequence_id is distinct from old.sequence_id) execute function daybook_refuse_identity_change('tenant_id', 'id', 'sequence_id');`,
    )
    this.addSql(
      `create or replace function "sequence_step_guard_insert_fn"() returns trigger as $$ begin if exists (select from inserted n where n.sequence_id is not null and not exists (select from "email_sequence" t where t.id = n.sequence_id and t.tenant_id = n.tenant_id)) then raise exception using errcode = '23503', table = 'sequence_step', constraint = 'sequence_step_sequence_id_foreign', message = 'insert or update on table "sequence_step" violates foreign key constraint "sequence_step_sequence_id_foreign"', detail = 'Key is not present in table "email_sequence".'; end if; return null; end; $$ language plpgsql set search_path = "public", pg_temp;`,
    )
    this.addSql(
      `create trigger "guard_insert" after insert on "sequence_step" referencing new table as inserted for each statement execute function "sequence_step_guard_insert_fn"();`,
    )
    this.addSql(
      `create or replace function "sequence_step_guard_update_fn"() returns trigger as $$ begin if new.sequence_id is distinct from old.sequence_id and new.sequence_id is not null and not exists (select from "email_sequence" t where t.id = new.sequence_id and t.tenant_id = new.tenant_id) then raise exception using errcode = '23503', table = 'sequence_step', constraint = 'sequence_step_sequence_id_foreign', message = 'insert or update on table "sequence_step" violates foreign key constraint "sequence_step_sequence_id_foreign"', detail = 'Key is not present in table "email_sequence".'; end if; return null; end; $$ language plpgsql set search_path = "public", pg_temp;`,
    )
    this.addSql(
      `create trigger "guard_update" after update on "sequence_step" for each row when (new.sequence_id is distinct from old.sequence_id) execute function "sequence_step_guard_update_fn"();`,
    )
    this.addSql(
      `create trigger "audit_insert" after insert on "sequence_step" referencing new table as new_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('sequence-step', 'tenant_id', '', '{}');`,
    )
    this.addSql(
      `create trigger "audit_update" after update on "sequence_step" referencing old table as old_rows new table as new_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('sequence-step', 'tenant_id', '', '{}');`,
    )
    this.addSql(
      `create trigger "audit_delete" after delete on "sequence_step" referencing old table as old_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('sequence-step', 'tenant_id', '', '{}');`,
    )
    this.addSql(`alter table "sequence_step" enable row level security;`)
    this.addSql(`alter table "sequence_step" force row level security;`)
    this.addSql(
      `create policy "tenant" on "sequence_step" using (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid) with check (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid);`,
    )
    this.addSql(
      `alter table "prospect" add constraint "prospect_icp_id_foreign" foreign key ("icp_id") references "ideal_customer_profile" ("id") on delete set null;`,
    )
    this.addSql(
      `alter table "prospect" add constraint "prospect_owner_id_foreign" foreign key ("owner_id") references "app_user" ("id") on delete set null;`,
    )
    this.addSql(`alter table "prospect" add constraint "prospect_email_lower_case" check (email = lower(email));`)
    this.addSql(`alter table "prospect" add constraint "prospect_company_size" check (company_size > 0);`)
    this.addSql(`alter table "prospect" add constraint "prospect_score" check (score >= 0 and score <= 100);`)
    this.addSql(
      `alter table "prospect" add constraint "prospect_status_check" check ("status" in ('NEW', 'QUALIFIED', 'CONTACTED', 'ENGAGED', 'WON', 'LOST'));`,
    )
    this.addSql(
      `create trigger "touch" before update on "prospect" for each row when (new.updated_at is not distinct from old.updated_at and (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on')) execute function daybook_touch();`,
    )
    this.addSql(
      `create trigger "guard_identity" before update on "prospect" for each row when (new.tenant_id is distinct from old.tenant_id or new.id is distinct from old.id) execute function daybook_refuse_identity_change('tenant_id', 'id');`,
    )
    this.addSql(
      `create or replace function "prospect_guard_insert_fn"() returns trigger as $$ begin if exists (select from inserted n where n.icp_id is not null and not exists (select from "ideal_customer_profile" t where t.id = n.icp_id and t.tenant_id = n.tenant_id)) then raise exception using errcode = '23503', table = 'prospect', constraint = 'prospect_icp_id_foreign', message = 'insert or update on table "prospect" violates foreign key constraint "prospect_icp_id_foreign"', detail = 'Key is not present in table "ideal_customer_profile".'; end if; if exists (select from inserted n where n.owner_id is not null and not exists (select from "app_user" t where t.id = n.owner_id)) then raise exception using errcode = '23503', table = 'prospect', constraint = 'prospect_owner_id_foreign', message = 'insert or update on table "prospect" violates foreign key constraint "prospect_owner_id_foreign"', detail = 'Key is not present in table "app_user".'; end if; return null; end; $$ language plpgsql set search_path = "public", pg_temp;`,
    )
    this.addSql(
      `create trigger "guard_insert" after insert on "prospect" referencing new table as inserted for each statement execute function "prospect_guard_insert_fn"();`,
    )
    this.addSql(
      `create or replace function "prospect_guard_update_fn"() returns trigger as $$ begin if new.icp_id is distinct from old.icp_id and new.icp_id is not null and not exists (select from "ideal_customer_profile" t where t.id = new.icp_id and t.tenant_id = new.tenant_id) then raise exception using errcode = '23503', table = 'prospect', constraint = 'prospect_icp_id_foreign', message = 'insert or update on table "prospect" violates foreign key constraint "prospect_icp_id_foreign"', detail = 'Key is not present in table "ideal_customer_profile".'; end if; if new.owner_id is distinct from old.owner_id and new.owner_id is not null and not exists (select from "app_user" t where t.id = new.owner_id) then raise exception using errcode = '23503', table = 'prospect', constraint = 'prospect_owner_id_foreign', message = 'insert or update on table "prospect" violates foreign key constraint "prospect_owner_id_foreign"', detail = 'Key is not present in table "app_user".'; end if; return null; end; $$ language plpgsql set search_path = "public", pg_temp;`,
    )
    this.addSql(
      `create trigger "guard_update" after update on "prospect" for each row when (new.icp_id is distinct from old.icp_id or new.owner_id is distinct from old.owner_id) execute function "prospect_guard_update_fn"();`,
    )
    this.addSql(
      `create trigger "audit_insert" after insert on "prospect" referencing new table as new_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('prospect', 'tenant_id', 'version', '{search_vector}');`,
    )
    this.addSql(
      `create trigger "audit_update" after update on "prospect" referencing old table as old_rows new table as new_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('prospect', 'tenant_id', 'version', '{search_vector}');`,
    )
    this.addSql(
      `create trigger "audit_delete" after delete on "prospect" referencing old table as old_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('prospect', 'tenant_id', 'version', '{search_vector}');`,
    )
    this.addSql(`alter table "prospect" enable row level security;`)
    this.addSql(`alter table "prospect" force row level security;`)
    this.addSql(
      `create policy "tenant" on "prospect" using (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid) with check (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid);`,
    )
    this.addSql(
      `alter table "message" add constraint "message_campaign_id_foreign" foreign key ("campaign_id") references "campaign" ("id") on delete restrict;`,
    )
    this.addSql(
      `alter table "message" add constraint "message_step_id_foreign" foreign key ("step_id") references "sequence_step" ("id") on delete restrict;`,
    )
    this.addSql(
      `alter table "message" add constraint "message_prospect_id_foreign" foreign key ("prospect_id") references "prospect" ("id") on delete set null;`,
    )
    this.addSql(`alter table "message" add constraint "message_opened" check (status <> 'OPENED' or opened_at is not null);`)
    this.addSql(`alter table "message" add constraint "message_replied" check ((status = 'REPLIED') = (replied_at is not null));`)
    this.addSql(`alter table "message" add constraint "message_step_of_campaign" check (step_id is null or campaign_id is not null);`)
    this.addSql(`alter table "message" add constraint "message_channel_check" check ("channel" in ('EMAIL', 'SMS', 'CHAT'));`)
    this.addSql(`alter table "message" add constraint "message_direction_check" check ("direction" in ('OUTBOUND', 'INBOUND'));`)
    this.addSql(
      `alter table "message" add constraint "message_status_check" check ("status" in ('QUEUED', 'SENT', 'DELIVERED', 'OPENED', 'REPLIED', 'BOUNCED', 'FAILED'));`,
    )
    this.addSql(
      `create trigger "touch" before update on "message" for each row when (new.updated_at is not distinct from old.updated_at and (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on')) execute function daybook_touch();`,
    )
    this.addSql(
      `create trigger "guard_identity" before update on "message" for each row when (new.tenant_id is distinct from old.tenant_id or new.id is distinct from old.id) execute function daybook_refuse_identity_change('tenant_id', 'id');`,
    )
    this.addSql(
      `create or replace function "message_guard_insert_fn"() returns trigger as $$ begin if exists (select from inserted n where n.campaign_id is not null and not exists (select from "campaign" t where t.id = n.campaign_id and t.tenant_id = n.tenant_id)) then raise exception using errcode = '23503', table = 'message', constraint = 'message_campaign_id_foreign', message = 'insert or update on table "message" violates foreign key constraint "message_campaign_id_foreign"', detail = 'Key is not present in table "campaign".'; end if; if exists (select from inserted n where n.step_id is not null and not exists (select from "sequence_step" t where t.id = n.step_id and t.tenant_id = n.tenant_id)) then raise exception using errcode = '23503', table = 'message', constraint = 'message_step_id_foreign', message = 'insert or update on table "message" violates foreign key constraint "message_step_id_foreign"', detail = 'Key is not present in table "sequence_step".'; end if; if exists (select from inserted n where n.prospect_id is not null and not exists (select from "prospect" t where t.id = n.prospect_id and t.tenant_id = n.tenant_id)) then raise exception using errcode = '23503', table = 'message', constraint = 'message_prospect_id_foreign', message = 'insert or update on table "message" violates foreign key constraint "message_prospect_id_foreign"', detail = 'Key is not present in table "prospect".'; end if; return null; end; $$ language plpgsql set search_path = "public", pg_temp;`,
    )
    this.addSql(
      `create trigger "guard_insert" after insert on "message" referencing new table as inserted for each statement execute function "message_guard_insert_fn"();`,
    )
    this.addSql(
      `create or replace function "message_guard_update_fn"() returns trigger as $$ begin if new.campaign_id is distinct from old.campaign_id and new.campaign_id is not null and not exists (select from "campaign" t where t.id = new.campaign_id and t.tenant_id = new.tenant_id) then raise exception using errcode = '23503', table = 'message', constraint = 'message_campaign_id_foreign', message = 'insert or update on table "message" violates foreign key constraint "message_campaign_id_foreign"', detail = 'Key is not present in table "campaign".'; end if; if new.step_id is distinct from old.step_id and new.step_id is not null and not exists (select from "sequence_step" t where t.id = new.step_id and t.tenant_id = new.tenant_id) then raise exception using errcode = '23503', table = 'message', constraint = 'message_step_id_foreign', message = 'insert or update on table "message" violates foreign key constraint "message_step_id_foreign"', detail = 'Key is not present in table "sequence_step".'; end if; if new.prospect_id is distinct from old.prospect_id and new.prospect_id is not null and not exists (select from "prospect" t where t.id = new.prospect_id and t.tenant_id = new.tenant_id) then raise exception using errcode = '23503', table = 'message', constraint = 'message_prospect_id_foreign', message = 'insert or update on table "message" violates foreign key constraint "message_prospect_id_foreign"', detail = 'Key is not present in table "prospect".'; end if; return null; end; $$ language plpgsql set search_path = "public", pg_temp;`,
    )
    this.addSql(
      `create trigger "guard_update" after update on "message" for each row when (new.campaign_id is distinct from old.campaign_id or new.step_id is distinct from old.step_id or new.prospect_id is distinct from old.prospect_id) execute function "message_guard_update_fn"();`,
    )
    this.addSql(
      `create trigger "audit_insert" after insert on "message" referencing new table as new_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('message', 'tenant_id', '', '{}');`,
    )
    this.addSql(
      `create trigger "audit_update" after update on "message" referencing old table as old_rows new table as new_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('message', 'tenant_id', '', '{}');`,
    )
    this.addSql(
      `create trigger "audit_delete" after delete on "message" referencing old table as old_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('message', 'tenant_id', '', '{}');`,
    )
    this.addSql(`alter table "message" enable row level security;`)
    this.addSql(`alter table "message" force row level security;`)
    this.addSql(
      `create policy "tenant" on "message" using (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid) with check (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid);`,
    )
    this.addSql(
      `alter table "campaign_enrollment" add constraint "campaign_enrollment_campaign_id_foreign" foreign key ("campaign_id") references "campaign" ("id") on delete cascade;`,
    )
    this.addSql(
      `alter table "campaign_enrollment" add constraint "campaign_enrollment_prospect_id_foreign" foreign key ("prospect_id") references "prospect" ("id") on delete cascade;`,
    )
    this.addSql(`alter table "campaign_enrollment" add constraint "campaign_enrollment_next_step" check (next_step > 0);`)
    this.addSql(
      `alter table "campaign_enrollment" add constraint "campaign_enrollment_stopped" check ((stopped_at is null) = (stop_reason is null));`,
    )
    this.addSql(
      `alter table "campaign_enrollment" add constraint "campaign_enrollment_stop_reason_check" check ("stop_reason" in ('COMPLETED', 'REPLIED', 'BOUNCED', 'WON', 'LOST', 'DELETED'));`,
    )
    this.addSql(
      `create trigger "touch" before update on "campaign_enrollment" for each row when (new.updated_at is not distinct from old.updated_at and (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on')) execute function daybook_touch();`,
    )
    this.addSql(
      `create trigger "guard_identity" before update on "campaign_enrollment" for each row when (new.tenant_id is distinct from old.tenant_id or new.id is distinct from old.id or new.campaign_id is distinct from old.campaign_id or new.prospect_id is distinct from old.prospect_id) execute function daybook_refuse_identity_change('tenant_id', 'id', 'campaign_id', 'prospect_id');`,
    )
    this.addSql(
      `create or replace function "campaign_enrollment_guard_insert_fn"() returns trigger as $$ begin if exists (select from inserted n where n.campaign_id is not null and not exists (select from "campaign" t where t.id = n.campaign_id and t.tenant_id = n.tenant_id)) then raise exception using errcode = '23503', table = 'campaign_enrollment', constraint = 'campaign_enrollment_campaign_id_foreign', message = 'insert or update on table "campaign_enrollment" violates foreign key constraint "campaign_enrollment_campaign_id_foreign"', detail = 'Key is not present in table "campaign".'; end if; if exists (select from inserted n where n.prospect_id is not null and not exists (select from "prospect" t where t.id = n.prospect_id and t.tenant_id = n.tenant_id)) then raise exception using errcode = '23503', table = 'campaign_enrollment', constraint = 'campaign_enrollment_prospect_id_foreign', message = 'insert or update on table "campaign_enrollment" violates foreign key constraint "campaign_enrollment_prospect_id_foreign"', detail = 'Key is not present in table "prospect".'; end if; return null; end; $$ language plpgsql set search_path = "public", pg_temp;`,
    )
    this.addSql(
      `create trigger "guard_insert" after insert on "campaign_enrollment" referencing new table as inserted for each statement execute function "campaign_enrollment_guard_insert_fn"();`,
    )
    this.addSql(
      `create or replace function "campaign_enrollment_guard_update_fn"() returns trigger as $$ begin if new.campaign_id is distinct from old.campaign_id and new.campaign_id is not null and not exists (select from "campaign" t where t.id = new.campaign_id and t.tenant_id = new.tenant_id) then raise exception using errcode = '23503', table = 'campaign_enrollment', constraint = 'campaign_enrollment_campaign_id_foreign', message = 'insert or update on table "campaign_enrollment" violates foreign key constraint "campaign_enrollment_campaign_id_foreign"', detail = 'Key is not present in table "campaign".'; end if; if new.prospect_id is distinct from old.prospect_id and new.prospect_id is not null and not exists (select from "prospect" t where t.id = new.prospect_id and t.tenant_id = new.tenant_id) then raise exception using errcode = '23503', table = 'campaign_enrollment', constraint = 'campaign_enrollment_prospect_id_foreign', message = 'insert or update on table "campaign_enrollment" violates foreign key constraint "campaign_enrollment_prospect_id_foreign"', detail = 'Key is not present in table "prospect".'; end if; return null; end; $$ language plpgsql set search_path = "public", pg_temp;`,
    )
    this.addSql(
      `create trigger "guard_update" after update on "campaign_enrollment" for each row when (new.campaign_id is distinct from old.campaign_id or new.prospect_id is distinct from old.prospect_id) execute function "campaign_enrollment_guard_update_fn"();`,
    )
    this.addSql(
      `create trigger "audit_insert" after insert on "campaign_enrollment" referencing new table as new_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('campaign-enrollment', 'tenant_id', '', '{}');`,
    )
    this.addSql(
      `create trigger "audit_update" after update on "campaign_enrollment" referencing old table as old_rows new table as new_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('campaign-enrollment', 'tenant_id', '', '{}');`,
    )
    this.addSql(
      `create trigger "audit_delete" after delete on "campaign_enrollment" referencing old table as old_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('campaign-enrollment', 'tenant_id', '', '{}');`,
    )
    this.addSql(`alter table "campaign_enrollment" enable row level security;`)
    this.addSql(`alter table "campaign_enrollment" force row level security;`)
    this.addSql(
      `create policy "tenant" on "campaign_enrollment" using (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid) with check (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid);`,
    )
    this.addSql(
      `alter table "ai_insight" add constraint "ai_insight_decided_by_id_foreign" foreign key ("decided_by_id") references "app_user" ("id") on delete set null;`,
    )
    this.addSql(`alter table "ai_insight" add constraint "ai_insight_confidence" check (confidence >= 0 and confidence <= 1);`)
    this.addSql(
      `alter table "ai_insight" add constraint "ai_insight_judged" check ((status = 'NEW') = (decided_at is null) and (status = 'NEW') = (reason is null));`,
    )
    this.addSql(`alter table "ai_insight" add constraint "ai_insight_status_check" check ("status" in ('NEW', 'ACCEPTED', 'DISMISSED'));`)
    this.addSql(
      `create trigger "touch" before update on "ai_insight" for each row when (new.updated_at is not distinct from old.updated_at and (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on')) execute function daybook_touch();`,
    )
    this.addSql(
      `create trigger "guard_identity" before update on "ai_insight" for each row when (new.tenant_id is distinct from old.tenant_id or new.id is distinct from old.id or new.subject_type is distinct from old.subject_type or new.subject_id is distinct from old.subject_id or new.kind is distinct from old.kind or new.model is distinct from old.model) execute function daybook_refuse_identity_change('tenant_id', 'id', 'subject_type', 'subject_id', 'kind', 'model');`,
    )
    this.addSql(
      `create or replace function "ai_insight_guard_insert_fn"() returns trigger as $$ begin if exists (select from inserted n where n.decided_by_id is not null and not exists (select from "app_user" t where t.id = n.decided_by_id)) then raise exception using errcode = '23503', table = 'ai_insight', constraint = 'ai_insight_decided_by_id_foreign', message = 'insert or update on table "ai_insight" violates foreign key constraint "ai_insight_decided_by_id_foreign"', detail = 'Key is not present in table "app_user".'; end if; return null; end; $$ language plpgsql set search_path = "public", pg_temp;`,
    )
    this.addSql(
      `create trigger "guard_insert" after insert on "ai_insight" referencing new table as inserted for each statement execute function "ai_insight_guard_insert_fn"();`,
    )
    this.addSql(
      `create or replace function "ai_insight_guard_update_fn"() returns trigger as $$ begin if new.decided_by_id is distinct from old.decided_by_id and new.decided_by_id is not null and not exists (select from "app_user" t where t.id = new.decided_by_id) then raise exception using errcode = '23503', table = 'ai_insight', constraint = 'ai_insight_decided_by_id_foreign', message = 'insert or update on table "ai_insight" violates foreign key constraint "ai_insight_decided_by_id_foreign"', detail = 'Key is not present in table "app_user".'; end if; return null; end; $$ language plpgsql set search_path = "public", pg_temp;`,
    )
    this.addSql(
      `create trigger "guard_update" after update on "ai_insight" for each row when (new.decided_by_id is distinct from old.decided_by_id) execute function "ai_insight_guard_update_fn"();`,
    )
    this.addSql(
      `create trigger "audit_insert" after insert on "ai_insight" referencing new table as new_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('ai-insight', 'tenant_id', 'version', '{}');`,
    )
    this.addSql(
      `create trigger "audit_update" after update on "ai_insight" referencing old table as old_rows new table as new_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('ai-insight', 'tenant_id', 'version', '{}');`,
    )
    this.addSql(
      `create trigger "audit_delete" after delete on "ai_insight" referencing old table as old_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('ai-insight', 'tenant_id', 'version', '{}');`,
    )
    this.addSql(`alter table "ai_insight" enable row level security;`)
    this.addSql(`alter table "ai_insight" force row level security;`)
    this.addSql(
      `create policy "tenant" on "ai_insight" using (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid) with check (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid);`,
    )
    // Contract: the ids of the scope's own prospects whose words these are, the best first. Under row level security an index serves only
    // operators that are leakproof, and `@@` is not, so this runs as a role that policies don't bind and compares the tenant itself.
    this
      .addSql(`create function daybook_search_prospects(words text, most int) returns table (id uuid, rank real) language sql stable security definer
      set search_path = public, pg_temp as $$
        select p.id, ts_rank(p.search_vector, query) from prospect p, websearch_to_tsquery('simple', words) as query
        where p.tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid and p.deleted_at is null and p.search_vector @@ query
        order by 2 desc, 1 limit most $$;`)
    this.addSql(`alter function daybook_search_prospects(text, int) owner to daybook_directory;`)
    this.addSql(`revoke all on function daybook_search_prospects(text, int) from public;`)
    this.addSql(`grant execute on function daybook_search_prospects(text, int) to daybook_app, daybook_operator;`)
    this.addSql(`grant select on prospect to daybook_directory;`)
  }

  override down(): void {
    this.addSql(`drop function daybook_search_prospects(text, int);`)
    this.addSql(`alter table "task" drop column "prospect_id";`)
    this.addSql(`drop table "ai_insight";`)
    this.addSql(`drop table "campaign_enrollment";`)
    this.addSql(`drop table "message";`)
    this.addSql(`drop table "prospect";`)
    this.addSql(`drop table "sequence_step";`)
    this.addSql(`drop table "campaign";`)
    this.addSql(`drop table "ideal_customer_profile";`)
    this.addSql(`drop table "email_sequence";`)
    this.addSql(`drop function "campaign_guard_insert_fn";`)
    this.addSql(`drop function "campaign_guard_update_fn";`)
    this.addSql(`drop function "sequence_step_guard_insert_fn";`)
    this.addSql(`drop function "sequence_step_guard_update_fn";`)
    this.addSql(`drop function "prospect_guard_insert_fn";`)
    this.addSql(`drop function "prospect_guard_update_fn";`)
    this.addSql(`drop function "message_guard_insert_fn";`)
    this.addSql(`drop function "message_guard_update_fn";`)
    this.addSql(`drop function "campaign_enrollment_guard_insert_fn";`)
    this.addSql(`drop function "campaign_enrollment_guard_update_fn";`)
    this.addSql(`drop function "ai_insight_guard_insert_fn";`)
    this.addSql(`drop function "ai_insight_guard_update_fn";`)
  }
}
