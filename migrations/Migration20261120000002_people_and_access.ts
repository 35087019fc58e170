import { Migration } from '@mikro-orm/migrations'

/** Identity, organizations and access: the tables, their policies and guards. New tables only, so nothing is locked. */
export class Migration20261120000002_people_and_access extends Migration {
  override up(): void {
    this.addSql(
      `create table "organization" ("id" uuid not null, "created_at" timestamptz(3) not null default now(), "updated_at" timestamptz(3) not null default now(), "slug" text not null, "name" text not null, "domain" text null, "domain_verified_at" timestamptz(3) null, "plan" text not null default 'FREE', "status" text not null default 'ACTIVE', "data_region" text not null default 'EU', "default_locale" text not null default 'en', "quota_reset_at" timestamptz(3) null, "settings" jsonb not null default '{}', "deleted_at" timestamptz(3) null, "version" int not null default 1, primary key ("id"));`,
    )
    this.addSql(`alter table "organization" add constraint "organization_slug_unique" unique ("slug");`)
    this.addSql(`create unique index "organization_domain_unique" on "organization" ("domain") where domain_verified_at is not null;`)
    this.addSql(
      `alter table "organization" add constraint "organization_slug_shape" check (slug ~ '^[a-z0-9](-?[a-z0-9])*$' and length(slug) <= 63);`,
    )
    this.addSql(
      `alter table "organization" add constraint "organization_plan_check" check ("plan" in ('FREE', 'STARTER', 'PROFESSIONAL', 'ENTERPRISE'));`,
    )
    this.addSql(
      `alter table "organization" add constraint "organization_status_check" check ("status" in ('ACTIVE', 'SUSPENDED', 'CLOSED'));`,
    )
    this.addSql(`alter table "organization" add constraint "organization_data_region_check" check ("data_region" in ('EU', 'US', 'CA'));`)
    this.addSql(
      `create trigger "touch" before update on "organization" for each row when (new.updated_at is not distinct from old.updated_at and (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on')) execute function daybook_touch();`,
    )
    this.addSql(
      `create table "permission" ("id" uuid not null, "created_at" timestamptz(3) not null default now(), "updated_at" timestamptz(3) not null default now(), "key" text not null, "resource" text not null, "action" text not null, "description" text null, primary key ("id"));`,
    )
    this.addSql(`alter table "permission" add constraint "permission_key_unique" unique ("key");`)
    this.addSql(
      `alter table "permission" add constraint "permission_action_check" check ("action" in ('READ', 'CREATE', 'UPDATE', 'DELETE', 'MANAGE', 'APPROVE', 'EXPORT'));`,
    )
    this.addSql(
      `create trigger "touch" before update on "permission" for each row when (new.updated_at is not distinct from old.updated_at and (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on')) execute function daybook_touch();`,
    )
    this.addSql(
      `create table "role" ("id" uuid not null, "created_at" timestamptz(3) not null default now(), "updated_at" timestamptz(3) not null default now(), "tenant_id" uuid not null, "key" text not null, "name" text not null, "description" text null, "parent_id" uuid null, "is_system" boolean not null default false, "version" int not null default 1, primary key ("id"));`,
    )
    this.addSql(`create index "role_parent_id_index" on "role" ("parent_id");`)
    this.addSql(`alter table "role" add constraint "role_tenant_id_key_unique" unique ("tenant_id", "key");`)
    this.addSql(
      `create trigger "touch" before update on "role" for each row when (new.updated_at is not distinct from old.updated_at and (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on')) execute function daybook_touch();`,
    )
    this.addSql(
      `create trigger "guard_identity" before update on "role" for each row when (new.tenant_id is distinct from old.tenant_id or new.id is distinct from old.id) execute function daybook_refuse_identity_change('tenant_id', 'id');`,
    )
    this.addSql(
      `create or replace function "role_guard_insert_fn"() returns trigger as $$ begin if exists (select from inserted n where n.parent_id is not null and not exists (select from "role" t where t.id = n.parent_id and t.tenant_id = n.tenant_id)) then raise exception using errcode = '23503', table = 'role', constraint = 'role_parent_id_foreign', message = 'insert or update on table "role" violates foreign key constraint "role_parent_id_foreign"', detail = 'Key is not present in table "role".'; end if; return null; end; $$ language plpgsql set search_path = "public", pg_temp;`,
    )
    this.addSql(
      `create trigger "guard_insert" after insert on "role" referencing new table as inserted for each statement execute function "role_guard_insert_fn"();`,
    )
    this.addSql(
      `create or replace function "role_guard_update_fn"() returns trigger as $$ begin if new.parent_id is distinct from old.parent_id and new.parent_id is not null and not exists (select from "role" t where t.id = new.parent_id and t.tenant_id = new.tenant_id) then raise exception using errcode = '23503', table = 'role', constraint = 'role_parent_id_foreign', message = 'insert or update on table "role" violates foreign key constraint "role_parent_id_foreign"', detail = 'Key is not present in table "role".'; end if; return null; end; $$ language plpgsql set search_path = "public", pg_temp;`,
    )
    this.addSql(
      `create trigger "guard_update" after update on "role" for each row when (new.parent_id is distinct from old.parent_id) execute function "role_guard_update_fn"();`,
    )
    this.addSql(
      `create table "role_permission" ("id" uuid not null, "created_at" timestamptz(3) not null default now(), "updated_at" timestamptz(3) not null default now(), "tenant_id" uuid not null, "role_id" uuid not null, "permission_id" uuid not null, "condition" jsonb null, primary key ("id"));`,
    )
    this.addSql(`create index "role_permission_role_id_index" on "role_permission" ("role_id");`)
    this.addSql(`create index "role_permission_permission_id_index" on "role_permission" ("permission_id");`)
    this.addSql(
      `alter table "role_permission" add constraint "role_permission_tenant_id_role_id_permission_id_unique" unique ("tenant_id", "role_id", "permission_id");`,
    )
    this.addSql(
      `create trigger "touch" before update on "role_permission" for each row when (new.updated_at is not distinct from old.updated_at and (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on')) execute function daybook_touch();`,
    )
    this.addSql(
      `create trigger "guard_identity" before update on "role_permission" for each row when (new.tenant_id is distinct from old.tenant_id or new.id is distinct from old.id) execute function daybook_refuse_identity_change('tenant_id', 'id');`,
    )
    this.addSql(
      `create or replace function "role_permission_guard_insert_fn"() returns trigger as $$ begin if exists (select from inserted n where n.role_id is not null and not exists (select from "role" t where t.id = n.role_id and t.tenant_id = n.tenant_id)) then raise exception using errcode = '23503', table = 'role_permission', constraint = 'role_permission_role_id_foreign', message = 'insert or update on table "role_permission" violates foreign key constraint "role_permission_role_id_foreign"', detail = 'Key is not present in table "role".'; end if; return null; end; $$ language plpgsql set search_path = "public", pg_temp;`,
    )
    this.addSql(
      `create trigger "guard_insert" after insert on "role_permission" referencing new table as inserted for each statement execute function "role_permission_guard_insert_fn"();`,
    )
    this.addSql(
      `create or replace function "role_permission_guard_update_fn"() returns trigger as $$ begin if new.role_id is distinct from old.role_id and new.role_id is not null and not exists (select from "role" t where t.id = new.role_id and t.tenant_id = new.tenant_id) then raise exception using errcode = '23503', table = 'role_permission', constraint = 'role_permission_role_id_foreign', message = 'insert or update on table "role_permission" violates foreign key constraint "role_permission_role_id_foreign"', detail = 'Key is not present in table "role".'; end if; return null; end; $$ language plpgsql set search_path = "public", pg_temp;`,
    )
    this.addSql(
      `create trigger "guard_update" after update on "role_permission" for each row when (new.role_id is distinct from old.role_id) execute function "role_permission_guard_update_fn"();`,
    )
    this.addSql(
      `create table "app_user" ("id" uuid not null, "created_at" timestamptz(3) not null default now(), "updated_at" timestamptz(3) not null default now(), "email" text not null, "email_verified" timestamptz(3) null, "name" text null, "first_name" text null, "last_name" text null, "image" text null, "locale" text not null default 'en', "time_zone" text not null default 'UTC', "status" text not null default 'ACTIVE', "last_login_at" timestamptz(3) null, "failed_login_count" int not null default 0, "locked_until" timestamptz(3) null, "deleted_at" timestamptz(3) null, primary key ("id"));`,
    )
    this.addSql(`alter table "app_user" add constraint "app_user_email_unique" unique ("email");`)
    this.addSql(`alter table "app_user" add constraint "app_user_email_lower_case" check (email = lower(email));`)
    this.addSql(`alter table "app_user" add constraint "app_user_locale_check" check ("locale" in ('en', 'fr'));`)
    this.addSql(
      `alter table "app_user" add constraint "app_user_status_check" check ("status" in ('ACTIVE', 'INVITED', 'LOCKED', 'DISABLED'));`,
    )
    this.addSql(
      `create trigger "touch" before update on "app_user" for each row when (new.updated_at is not distinct from old.updated_at and (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on')) execute function daybook_touch();`,
    )
    this.addSql(
      `create table "session" ("id" uuid not null, "created_at" timestamptz(3) not null default now(), "updated_at" timestamptz(3) not null default now(), "session_token" text not null, "user_id" uuid not null, "expires" timestamptz(3) not null, "active_tenant_id" uuid null, "ip" text null, "user_agent" text null, "last_seen_at" timestamptz(3) not null, "revoked_at" timestamptz(3) null, primary key ("id"));`,
    )
    this.addSql(`alter table "session" add constraint "session_session_token_unique" unique ("session_token");`)
    this.addSql(`create index "session_expires_index" on "session" ("expires");`)
    this.addSql(`create index "session_user_id_index" on "session" ("user_id");`)
    this.addSql(
      `create trigger "touch" before update on "session" for each row when (new.updated_at is not distinct from old.updated_at and (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on')) execute function daybook_touch();`,
    )
    this.addSql(
      `create table "password_reset_token" ("id" uuid not null, "created_at" timestamptz(3) not null default now(), "updated_at" timestamptz(3) not null default now(), "user_id" uuid not null, "token_hash" text not null, "expires_at" timestamptz(3) not null, "used_at" timestamptz(3) null, "requested_ip" text null, primary key ("id"));`,
    )
    this.addSql(`alter table "password_reset_token" add constraint "password_reset_token_token_hash_unique" unique ("token_hash");`)
    this.addSql(`create index "password_reset_token_user_id_index" on "password_reset_token" ("user_id");`)
    this.addSql(
      `create trigger "touch" before update on "password_reset_token" for each row when (new.updated_at is not distinct from old.updated_at and (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on')) execute function daybook_touch();`,
    )
    this.addSql(
      `create table "password_credential" ("id" uuid not null, "created_at" timestamptz(3) not null default now(), "updated_at" timestamptz(3) not null default now(), "user_id" uuid not null, "password_hash" text not null, "changed_at" timestamptz(3) not null, primary key ("id"));`,
    )
    this.addSql(`alter table "password_credential" add constraint "password_credential_user_id_unique" unique ("user_id");`)
    this.addSql(
      `create trigger "touch" before update on "password_credential" for each row when (new.updated_at is not distinct from old.updated_at and (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on')) execute function daybook_touch();`,
    )
    this.addSql(
      `create table "membership" ("id" uuid not null, "created_at" timestamptz(3) not null default now(), "updated_at" timestamptz(3) not null default now(), "tenant_id" uuid not null, "user_id" uuid not null, "role_id" uuid not null, "status" text not null default 'ACTIVE', "invited_by_id" uuid null, "joined_at" timestamptz(3) not null, "version" int not null default 1, primary key ("id"));`,
    )
    this.addSql(`create index "membership_user_id_index" on "membership" ("user_id");`)
    this.addSql(`create index "membership_role_id_index" on "membership" ("role_id");`)
    this.addSql(`create index "membership_invited_by_id_index" on "membership" ("invited_by_id");`)
    this.addSql(`alter table "membership" add constraint "membership_tenant_id_user_id_unique" unique ("tenant_id", "user_id");`)
    this.addSql(`alter table "membership" add constraint "membership_status_check" check ("status" in ('ACTIVE', 'SUSPENDED', 'LEFT'));`)
    this.addSql(
      `create trigger "touch" before update on "membership" for each row when (new.updated_at is not distinct from old.updated_at and (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on')) execute function daybook_touch();`,
    )
    this.addSql(
      `create trigger "guard_identity" before update on "membership" for each row when (new.tenant_id is distinct from old.tenant_id or new.id is distinct from old.id or new.user_id is distinct from old.user_id) execute function daybook_refuse_identity_change('tenant_id', 'id', 'user_id');`,
    )
    this.addSql(
      `create or replace function "membership_guard_insert_fn"() returns trigger as $$ begin if exists (select from inserted n where n.user_id is not null and not exists (select from "app_user" t where t.id = n.user_id)) then raise exception using errcode = '23503', table = 'membership', constraint = 'membership_user_id_foreign', message = 'insert or update on table "membership" violates foreign key constraint "membership_user_id_foreign"', detail = 'Key is not present in table "app_user".'; end if; if exists (select from inserted n where n.role_id is not null and not exists (select from "role" t where t.id = n.role_id and t.tenant_id = n.tenant_id)) then raise exception using errcode = '23503', table = 'membership', constraint = 'membership_role_id_foreign', message = 'insert or update on table "membership" violates foreign key constraint "membership_role_id_foreign"', detail = 'Key is not present in table "role".'; end if; if exists (select from inserted n where n.invited_by_id is not null and not exists (select from "app_user" t where t.id = n.invited_by_id)) then raise exception using errcode = '23503', table = 'membership', constraint = 'membership_invited_by_id_foreign', message = 'insert or update on table "membership" violates foreign key constraint "membership_invited_by_id_foreign"', detail = 'Key is not present in table "app_user".'; end if; return null; end; $$ language plpgsql set search_path = "public", pg_temp;`,
    )
    this.addSql(
      `create trigger "guard_insert" after insert on "membership" referencing new table as inserted for each statement execute function "membership_guard_insert_fn"();`,
    )
    this.addSql(
      `create or replace function "membership_guard_update_fn"() returns trigger as $$ begin if new.user_id is distinct from old.user_id and new.user_id is not null and not exists (select from "app_user" t where t.id = new.user_id) then raise exception using errcode = '23503', table = 'membership', constraint = 'membership_user_id_foreign', message = 'insert or update on table "membership" violates foreign key constraint "membership_user_id_foreign"', detail = 'Key is not present in table "app_user".'; end if; if new.role_id is distinct from old.role_id and new.role_id is not null and not exists (select from "role" t where t.id = new.role_id and t.tenant_id = new.tenant_id) then raise exception using errcode = '23503', table = 'membership', constraint = 'membership_role_id_foreign', message = 'insert or update on table "membership" violates foreign key constraint "membership_role_id_foreign"', detail = 'Key is not present in table "role".'; end if; if new.invited_by_id is distinct from old.invited_by_id and new.invited_by_id is not null and not exists (select from "app_user" t where t.id = new.invited_by_id) then raise exception using errcode = '23503', table = 'membership', constraint = 'membership_invited_by_id_foreign', message = 'insert or update on table "membership" violates foreign key constraint "membership_invited_by_id_foreign"', detail = 'Key is not present in table "app_user".'; end if; return null; end; $$ language plpgsql set search_path = "public", pg_temp;`,
    )
    this.addSql(
      `create trigger "guard_update" after update on "membership" for each row when (new.user_id is distinct from old.user_id or new.role_id is distinct from old.role_id or new.invited_by_id is distinct from old.invited_by_id) execute function "membership_guard_update_fn"();`,
    )
    this.addSql(
      `create table "invitation" ("id" uuid not null, "created_at" timestamptz(3) not null default now(), "updated_at" timestamptz(3) not null default now(), "tenant_id" uuid not null, "email" text not null, "role_id" uuid not null, "token_hash" text not null, "expires_at" timestamptz(3) not null, "status" text not null default 'PENDING', "invited_by_id" uuid null, primary key ("id"));`,
    )
    this.addSql(`create index "invitation_role_id_index" on "invitation" ("role_id");`)
    this.addSql(`create index "invitation_invited_by_id_index" on "invitation" ("invited_by_id");`)
    this.addSql(`alter table "invitation" add constraint "invitation_tenant_id_token_hash_unique" unique ("tenant_id", "token_hash");`)
    this.addSql(`create unique index "invitation_one_pending" on "invitation" ("tenant_id", "email") where status = 'PENDING';`)
    this.addSql(`alter table "invitation" add constraint "invitation_email_lower_case" check (email = lower(email));`)
    this.addSql(
      `alter table "invitation" add constraint "invitation_status_check" check ("status" in ('PENDING', 'ACCEPTED', 'REJECTED', 'CANCELED', 'EXPIRED'));`,
    )
    this.addSql(
      `create trigger "touch" before update on "invitation" for each row when (new.updated_at is not distinct from old.updated_at and (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on')) execute function daybook_touch();`,
    )
    this.addSql(
      `create trigger "guard_identity" before update on "invitation" for each row when (new.tenant_id is distinct from old.tenant_id or new.id is distinct from old.id) execute function daybook_refuse_identity_change('tenant_id', 'id');`,
    )
    this.addSql(
      `create or replace function "invitation_guard_insert_fn"() returns trigger as $$ begin if exists (select from inserted n where n.role_id is not null and not exists (select from "role" t where t.id = n.role_id and t.tenant_id = n.tenant_id)) then raise exception using errcode = '23503', table = 'invitation', constraint = 'invitation_role_id_foreign', message = 'insert or update on table "invitation" violates foreign key constraint "invitation_role_id_foreign"', detail = 'Key is not present in table "role".'; end if; if exists (select from inserted n where n.invited_by_id is not null and not exists (select from "app_user" t where t.id = n.invited_by_id)) then raise exception using errcode = '23503', table = 'invitation', constraint = 'invitation_invited_by_id_foreign', message = 'insert or update on table "invitation" violates foreign key constraint "invitation_invited_by_id_foreign"', detail = 'Key is not present in table "app_user".'; end if; return null; end; $$ language plpgsql set search_path = "public", pg_temp;`,
    )
    this.addSql(
      `create trigger "guard_insert" after insert on "invitation" referencing new table as inserted for each statement execute function "invitation_guard_insert_fn"();`,
    )
    this.addSql(
      `create or replace function "invitation_guard_update_fn"() returns trigger as $$ begin if new.role_id is distinct from old.role_id and new.role_id is not null and not exists (select from "role" t where t.id = new.role_id and t.tenant_id = new.tenant_id) then raise exception using errcode = '23503', table = 'invitation', constraint = 'invitation_role_id_foreign', message = 'insert or update on table "invitation" violates foreign key constraint "invitation_role_id_foreign"', detail = 'Key is not present in table "role".'; end if; if new.invited_by_id is distinct from old.invited_by_id and new.invited_by_id is not null and not exists (select from "app_user" t where t.id = new.invited_by_id) then raise exception using errcode = '23503', table = 'invitation', constraint = 'invitation_invited_by_id_foreign', message = 'insert or update on table "invitation" violates foreign key constraint "invitation_invited_by_id_foreign"', detail = 'Key is not present in table "app_user".'; end if; return null; end; $$ language plpgsql set search_path = "public", pg_temp;`,
    )
    this.addSql(
      `create trigger "guard_update" after update on "invitation" for each row when (new.role_id is distinct from old.role_id or new.invited_by_id is distinct from old.invited_by_id) execute function "invitation_guard_update_fn"();`,
    )
    this.addSql(
      `create table "api_key" ("id" uuid not null, "created_at" timestamptz(3) not null default now(), "updated_at" timestamptz(3) not null default now(), "tenant_id" uuid not null, "name" text not null, "environment" text not null, "prefix" text not null, "key_hash" text not null, "scopes" text[] not null, "created_by_id" uuid null, "expires_at" timestamptz(3) null, "last_used_at" timestamptz(3) null, "revoked_at" timestamptz(3) null, "rotated_from_id" uuid null, "rate_limit_max" int not null default 600, "rate_limit_window" int not null default 60, primary key ("id"));`,
    )
    this.addSql(`create index "api_key_created_by_id_index" on "api_key" ("created_by_id");`)
    this.addSql(`create index "api_key_rotated_from_id_index" on "api_key" ("rotated_from_id");`)
    this.addSql(`alter table "api_key" add constraint "api_key_tenant_id_key_hash_unique" unique ("tenant_id", "key_hash");`)
    this.addSql(`alter table "api_key" add constraint "api_key_environment_check" check ("environment" in ('LIVE', 'TEST'));`)
    this.addSql(
      `create trigger "touch" before update on "api_key" for each row when (new.updated_at is not distinct from old.updated_at and (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on')) execute function daybook_touch();`,
    )
    this.addSql(
      `create trigger "guard_identity" before update on "api_key" for each row when (new.tenant_id is distinct from old.tenant_id or new.id is distinct from old.id) execute function daybook_refuse_identity_change('tenant_id', 'id');`,
    )
    this.addSql(
      `create or replace function "api_key_guard_insert_fn"() returns trigger as $$ begin if exists (select from inserted n where n.created_by_id is not null and not exists (select from "app_user" t where t.id = n.created_by_id)) then raise exception using errcode = '23503', table = 'api_key', constraint = 'api_key_created_by_id_foreign', message = 'insert or update on table "api_key" violates foreign key constraint "api_key_created_by_id_foreign"', detail = 'Key is not present in table "app_user".'; end if; if exists (select from inserted n where n.rotated_from_id is not null and not exists (select from "api_key" t where t.id = n.rotated_from_id and t.tenant_id = n.tenant_id)) then raise exception using errcode = '23503', table = 'api_key', constraint = 'api_key_rotated_from_id_foreign', message = 'insert or update on table "api_key" violates foreign key constraint "api_key_rotated_from_id_foreign"', detail = 'Key is not present in table "api_key".'; end if; return null; end; $$ language plpgsql set search_path = "public", pg_temp;`,
    )
    this.addSql(
      `create trigger "guard_insert" after insert on "api_key" referencing new table as inserted for each statement execute function "api_key_guard_insert_fn"();`,
    )
    this.addSql(
      `create or replace function "api_key_guard_update_fn"() returns trigger as $$ begin if new.created_by_id is distinct from old.created_by_id and new.created_by_id is not null and not exists (select from "app_user" t where t.id = new.created_by_id) then raise exception using errcode = '23503', table = 'api_key', constraint = 'api_key_created_by_id_foreign', message = 'insert or update on table "api_key" violates foreign key constraint "api_key_created_by_id_foreign"', detail = 'Key is not present in table "app_user".'; end if; if new.rotated_from_id is distinct from old.rotated_from_id and new.rotated_from_id is not null and not exists (select from "api_key" t where t.id = new.rotated_from_id and t.tenant_id = new.tenant_id) then raise exception using errcode = '23503', table = 'api_key', constraint = 'api_key_rotated_from_id_foreign', message = 'insert or update on table "api_key" violates foreign key constraint "api_key_rotated_from_id_foreign"', detail = 'Key is not present in table "api_key".'; end if; return null; end; $$ language plpgsql set search_path = "public", pg_temp;`,
    )
    this.addSql(
      `create trigger "guard_update" after update on "api_key" for each row when (new.created_by_id is distinct from old.created_by_id or new.rotated_from_id is distinct from old.rotated_from_id) execute function "api_key_guard_update_fn"();`,
    )
    this.addSql(
      `create table "account" ("id" uuid not null, "created_at" timestamptz(3) not null default now(), "updated_at" timestamptz(3) not null default now(), "user_id" uuid not null, "type" text not null, "provider" text not null, "provider_account_id" text not null, "refresh_token" text null, "access_token" text null, "expires_at" int null, "token_type" text null, "scope" text null, "id_token" text null, "session_state" text null, primary key ("id"));`,
    )
    this.addSql(`create index "account_user_id_index" on "account" ("user_id");`)
    this.addSql(
      `alter table "account" add constraint "account_provider_provider_account_id_unique" unique ("provider", "provider_account_id");`,
    )
    this.addSql(
      `create trigger "touch" before update on "account" for each row when (new.updated_at is not distinct from old.updated_at and (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on')) execute function daybook_touch();`,
    )
    this.addSql(
      `create table "user_permission" ("id" uuid not null, "created_at" timestamptz(3) not null default now(), "updated_at" timestamptz(3) not null default now(), "tenant_id" uuid not null, "user_id" uuid not null, "permission_id" uuid not null, "effect" text not null, "expires_at" timestamptz(3) null, primary key ("id"));`,
    )
    this.addSql(`create index "user_permission_user_id_index" on "user_permission" ("user_id");`)
    this.addSql(`create index "user_permission_permission_id_index" on "user_permission" ("permission_id");`)
    this.addSql(
      `alter table "user_permission" add constraint "user_permission_tenant_id_user_id_permission_id_unique" unique ("tenant_id", "user_id", "permission_id");`,
    )
    this.addSql(`alter table "user_permission" add constraint "user_permission_effect_check" check ("effect" in ('ALLOW', 'DENY'));`)
    this.addSql(
      `create trigger "touch" before update on "user_permission" for each row when (new.updated_at is not distinct from old.updated_at and (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on')) execute function daybook_touch();`,
    )
    this.addSql(
      `create trigger "guard_identity" before update on "user_permission" for each row when (new.tenant_id is distinct from old.tenant_id or new.id is distinct from old.id) execute function daybook_refuse_identity_change('tenant_id', 'id');`,
    )
    this.addSql(
      `create or replace function "user_permission_guard_insert_fn"() returns trigger as $$ begin if exists (select from inserted n where n.user_id is not null and not exists (select from "app_user" t where t.id = n.user_id)) then raise exception using errcode = '23503', table = 'user_permission', constraint = 'user_permission_user_id_foreign', message = 'insert or update on table "user_permission" violates foreign key constraint "user_permission_user_id_foreign"', detail = 'Key is not present in table "app_user".'; end if; return null; end; $$ language plpgsql set search_path = "public", pg_temp;`,
    )
    this.addSql(
      `create trigger "guard_insert" after insert on "user_permission" referencing new table as inserted for each statement execute function "user_permission_guard_insert_fn"();`,
    )
    this.addSql(
      `create or replace function "user_permission_guard_update_fn"() returns trigger as $$ begin if new.user_id is distinct from old.user_id and new.user_id is not null and not exists (select from "app_user" t where t.id = new.user_id) then raise exception using errcode = '23503', table = 'user_permission', constraint = 'user_permission_user_id_foreign', message = 'insert or update on table "user_permission" violates foreign key constraint "user_permission_user_id_foreign"', detail = 'Key is not present in table "app_user".'; end if; return null; end; $$ language plpgsql set search_path = "public", pg_temp;`,
    )
    this.addSql(
      `create trigger "guard_update" after update on "user_permission" for each row when (new.user_id is distinct from old.user_id) execute function "user_permission_guard_update_fn"();`,
    )
    this.addSql(
      `create table "user_profile" ("id" uuid not null, "created_at" timestamptz(3) not null default now(), "updated_at" timestamptz(3) not null default now(), "user_id" uuid not null, "display_name" text null, "avatar_key" text null, "phone" text null, "bio" text null, "preferences" jsonb not null default '{}', "version" int not null default 1, primary key ("id"));`,
    )
    this.addSql(`alter table "user_profile" add constraint "user_profile_user_id_unique" unique ("user_id");`)
    this.addSql(
      `create trigger "touch" before update on "user_profile" for each row when (new.updated_at is not distinct from old.updated_at and (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on')) execute function daybook_touch();`,
    )
    this.addSql(
      `create table "user_role" ("id" uuid not null, "created_at" timestamptz(3) not null default now(), "updated_at" timestamptz(3) not null default now(), "tenant_id" uuid not null, "user_id" uuid not null, "role_id" uuid not null, "scope_type" text null, "scope_id" uuid null, "expires_at" timestamptz(3) null, primary key ("id"));`,
    )
    this.addSql(`create index "user_role_tenant_id_user_id_index" on "user_role" ("tenant_id", "user_id");`)
    this.addSql(`create index "user_role_user_id_index" on "user_role" ("user_id");`)
    this.addSql(`create index "user_role_role_id_index" on "user_role" ("role_id");`)
    this.addSql(`alter table "user_role" add constraint "user_role_scope_whole" check ((scope_type is null) = (scope_id is null));`)
    this.addSql(
      `create trigger "touch" before update on "user_role" for each row when (new.updated_at is not distinct from old.updated_at and (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on')) execute function daybook_touch();`,
    )
    this.addSql(
      `create trigger "guard_identity" before update on "user_role" for each row when (new.tenant_id is distinct from old.tenant_id or new.id is distinct from old.id) execute function daybook_refuse_identity_change('tenant_id', 'id');`,
    )
    this.addSql(
      `create or replace function "user_role_guard_insert_fn"() returns trigger as $$ begin if exists (select from inserted n where n.user_id is not null and not exists (select from "app_user" t where t.id = n.user_id)) then raise exception using errcode = '23503', table = 'user_role', constraint = 'user_role_user_id_foreign', message = 'insert or update on table "user_role" violates foreign key constraint "user_role_user_id_foreign"', detail = 'Key is not present in table "app_user".'; end if; if exists (select from inserted n where n.role_id is not null and not exists (select from "role" t where t.id = n.role_id and t.tenant_id = n.tenant_id)) then raise exception using errcode = '23503', table = 'user_role', constraint = 'user_role_role_id_foreign', message = 'insert or update on table "user_role" violates foreign key constraint "user_role_role_id_foreign"', detail = 'Key is not present in table "role".'; end if; return null; end; $$ language plpgsql set search_path = "public", pg_temp;`,
    )
    this.addSql(
      `create trigger "guard_insert" after insert on "user_role" referencing new table as inserted for each statement execute function "user_role_guard_insert_fn"();`,
    )
    this.addSql(
      `create or replace function "user_role_guard_update_fn"() returns trigger as $$ begin if new.user_id is distinct from old.user_id and new.user_id is not null and not exists (select from "app_user" t where t.id = new.user_id) then raise exception using errcode = '23503', table = 'user_role', constraint = 'user_role_user_id_foreign', message = 'insert or update on table "user_role" violates foreign key constraint "user_role_user_id_foreign"', detail = 'Key is not present in table "app_user".'; end if; if new.role_id is distinct from old.role_id and new.role_id is not null and not exists (select from "role" t where t.id = new.role_id and t.tenant_id = new.tenant_id) then raise exception using errcode = '23503', table = 'user_role', constraint = 'user_role_role_id_foreign', message = 'insert or update on table "user_role" violates foreign key constraint "user_role_role_id_foreign"', detail = 'Key is not present in table "role".'; end if; return null; end; $$ language plpgsql set search_path = "public", pg_temp;`,
    )
    this.addSql(
      `create trigger "guard_update" after update on "user_role" for each row when (new.user_id is distinct from old.user_id or new.role_id is distinct from old.role_id) execute function "user_role_guard_update_fn"();`,
    )
    this.addSql(
      `create table "verification_token" ("id" uuid not null, "created_at" timestamptz(3) not null default now(), "updated_at" timestamptz(3) not null default now(), "identifier" text not null, "token" text not null, "expires" timestamptz(3) not null, "purpose" text not null, primary key ("id"));`,
    )
    this.addSql(`create index "verification_token_token_index" on "verification_token" ("token");`)
    this.addSql(`create index "verification_token_expires_index" on "verification_token" ("expires");`)
    this.addSql(
      `alter table "verification_token" add constraint "verification_token_identifier_token_unique" unique ("identifier", "token");`,
    )
    this.addSql(
      `alter table "verification_token" add constraint "verification_token_purpose_check" check ("purpose" in ('EMAIL_VERIFY', 'EMAIL_CHANGE', 'MAGIC_LINK', 'INVITE'));`,
    )
    this.addSql(
      `create trigger "touch" before update on "verification_token" for each row when (new.updated_at is not distinct from old.updated_at and (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on')) execute function daybook_touch();`,
    )
    this.addSql(
      `alter table "role" add constraint "role_parent_id_foreign" foreign key ("parent_id") references "role" ("id") on delete set null;`,
    )
    this.addSql(
      `alter table "role_permission" add constraint "role_permission_role_id_foreign" foreign key ("role_id") references "role" ("id") on delete cascade;`,
    )
    this.addSql(
      `alter table "role_permission" add constraint "role_permission_permission_id_foreign" foreign key ("permission_id") references "permission" ("id");`,
    )
    this.addSql(`alter table "session" add constraint "session_user_id_foreign" foreign key ("user_id") references "app_user" ("id");`)
    this.addSql(
      `alter table "password_reset_token" add constraint "password_reset_token_user_id_foreign" foreign key ("user_id") references "app_user" ("id");`,
    )
    this.addSql(
      `alter table "password_credential" add constraint "password_credential_user_id_foreign" foreign key ("user_id") references "app_user" ("id");`,
    )
    this.addSql(
      `alter table "membership" add constraint "membership_user_id_foreign" foreign key ("user_id") references "app_user" ("id");`,
    )
    this.addSql(`alter table "membership" add constraint "membership_role_id_foreign" foreign key ("role_id") references "role" ("id");`)
    this.addSql(
      `alter table "membership" add constraint "membership_invited_by_id_foreign" foreign key ("invited_by_id") references "app_user" ("id") on delete set null;`,
    )
    this.addSql(`alter table "invitation" add constraint "invitation_role_id_foreign" foreign key ("role_id") references "role" ("id");`)
    this.addSql(
      `alter table "invitation" add constraint "invitation_invited_by_id_foreign" foreign key ("invited_by_id") references "app_user" ("id") on delete set null;`,
    )
    this.addSql(
      `alter table "api_key" add constraint "api_key_created_by_id_foreign" foreign key ("created_by_id") references "app_user" ("id") on delete set null;`,
    )
    this.addSql(
      `alter table "api_key" add constraint "api_key_rotated_from_id_foreign" foreign key ("rotated_from_id") references "api_key" ("id") on delete set null;`,
    )
    this.addSql(`alter table "account" add constraint "account_user_id_foreign" foreign key ("user_id") references "app_user" ("id");`)
    this.addSql(
      `alter table "user_permission" add constraint "user_permission_user_id_foreign" foreign key ("user_id") references "app_user" ("id");`,
    )
    this.addSql(
      `alter table "user_permission" add constraint "user_permission_permission_id_foreign" foreign key ("permission_id") references "permission" ("id");`,
    )
    this.addSql(
      `alter table "user_profile" add constraint "user_profile_user_id_foreign" foreign key ("user_id") references "app_user" ("id");`,
    )
    this.addSql(`alter table "user_role" add constraint "user_role_user_id_foreign" foreign key ("user_id") references "app_user" ("id");`)
    this.addSql(
      `alter table "user_role" add constraint "user_role_role_id_foreign" foreign key ("role_id") references "role" ("id") on delete cascade;`,
    )
    this.addSql(`alter table "organization" enable row level security;`)
    this.addSql(`alter table "organization" force row level security;`)
    this.addSql(
      `create policy "visible" on "organization" for select using (id = nullif(current_setting('daybook.tenant_id', true), '')::uuid or (current_setting('daybook.scope', true) = 'identity' and id in (select daybook_tenants_of_user())));`,
    )
    this.addSql(
      `create policy "own_insert" on "organization" for insert with check (id = nullif(current_setting('daybook.tenant_id', true), '')::uuid);`,
    )
    this.addSql(
      `create policy "own_update" on "organization" for update using (id = nullif(current_setting('daybook.tenant_id', true), '')::uuid) with check (id = nullif(current_setting('daybook.tenant_id', true), '')::uuid);`,
    )
    this.addSql(`alter table "role" enable row level security;`)
    this.addSql(`alter table "role" force row level security;`)
    this.addSql(
      `create policy "tenant" on "role" using (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid) with check (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid);`,
    )
    this.addSql(`alter table "role_permission" enable row level security;`)
    this.addSql(`alter table "role_permission" force row level security;`)
    this.addSql(
      `create policy "tenant" on "role_permission" using (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid) with check (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid);`,
    )
    this.addSql(`alter table "app_user" enable row level security;`)
    this.addSql(`alter table "app_user" force row level security;`)
    this.addSql(
      `create policy "visible" on "app_user" for select using (id = nullif(current_setting('daybook.user_id', true), '')::uuid or (current_setting('daybook.scope', true) = 'identity' and email = nullif(current_setting('daybook.claim_email', true), '')) or exists (select 1 from membership m where m.user_id = app_user.id));`,
    )
    this.addSql(
      `create policy "own_insert" on "app_user" for insert with check (id = nullif(current_setting('daybook.user_id', true), '')::uuid);`,
    )
    this.addSql(
      `create policy "own_update" on "app_user" for update using (id = nullif(current_setting('daybook.user_id', true), '')::uuid) with check (id = nullif(current_setting('daybook.user_id', true), '')::uuid);`,
    )
    this.addSql(`alter table "session" enable row level security;`)
    this.addSql(`alter table "session" force row level security;`)
    this.addSql(
      `create policy "own_select" on "session" for select using (current_setting('daybook.scope', true) = 'identity' and (user_id = nullif(current_setting('daybook.user_id', true), '')::uuid or session_token = nullif(current_setting('daybook.claim_digest', true), '')));`,
    )
    this.addSql(
      `create policy "own_insert" on "session" for insert with check (user_id = nullif(current_setting('daybook.user_id', true), '')::uuid);`,
    )
    this.addSql(
      `create policy "own_update" on "session" for update using (current_setting('daybook.scope', true) = 'identity' and (user_id = nullif(current_setting('daybook.user_id', true), '')::uuid or session_token = nullif(current_setting('daybook.claim_digest', true), ''))) with check (current_setting('daybook.scope', true) = 'identity' and (user_id = nullif(current_setting('daybook.user_id', true), '')::uuid or session_token = nullif(current_setting('daybook.claim_digest', true), '')));`,
    )
    this.addSql(
      `create policy "own_delete" on "session" for delete using (current_setting('daybook.scope', true) = 'identity' and (user_id = nullif(current_setting('daybook.user_id', true), '')::uuid or session_token = nullif(current_setting('daybook.claim_digest', true), '')));`,
    )
    this.addSql(`alter table "password_reset_token" enable row level security;`)
    this.addSql(`alter table "password_reset_token" force row level security;`)
    this.addSql(
      `create policy "own_select" on "password_reset_token" for select using (current_setting('daybook.scope', true) = 'identity' and (user_id = nullif(current_setting('daybook.user_id', true), '')::uuid or token_hash = nullif(current_setting('daybook.claim_digest', true), '')));`,
    )
    this.addSql(
      `create policy "own_insert" on "password_reset_token" for insert with check (user_id = nullif(current_setting('daybook.user_id', true), '')::uuid);`,
    )
    this.addSql(
      `create policy "own_update" on "password_reset_token" for update using (current_setting('daybook.scope', true) = 'identity' and (user_id = nullif(current_setting('daybook.user_id', true), '')::uuid or token_hash = nullif(current_setting('daybook.claim_digest', true), ''))) with check (current_setting('daybook.scope', true) = 'identity' and (user_id = nullif(current_setting('daybook.user_id', true), '')::uuid or token_hash = nullif(current_setting('daybook.claim_digest', true), '')));`,
    )
    this.addSql(
      `create policy "own_delete" on "password_reset_token" for delete using (current_setting('daybook.scope', true) = 'identity' and (user_id = nullif(current_setting('daybook.user_id', true), '')::uuid or token_hash = nullif(current_setting('daybook.claim_digest', true), '')));`,
    )
    this.addSql(`alter table "password_credential" enable row level security;`)
    this.addSql(`alter table "password_credential" force row level security;`)
    this.addSql(
      `create policy "own_select" on "password_credential" for select using (current_setting('daybook.scope', true) = 'identity' and user_id = nullif(current_setting('daybook.user_id', true), '')::uuid);`,
    )
    this.addSql(
      `create policy "own_insert" on "password_credential" for insert with check (user_id = nullif(current_setting('daybook.user_id', true), '')::uuid);`,
    )
    this.addSql(
      `create policy "own_update" on "password_credential" for update using (current_setting('daybook.scope', true) = 'identity' and user_id = nullif(current_setting('daybook.user_id', true), '')::uuid) with check (current_setting('daybook.scope', true) = 'identity' and user_id = nullif(current_setting('daybook.user_id', true), '')::uuid);`,
    )
    this.addSql(
      `create policy "own_delete" on "password_credential" for delete using (current_setting('daybook.scope', true) = 'identity' and user_id = nullif(current_setting('daybook.user_id', true), '')::uuid);`,
    )
    this.addSql(`alter table "membership" enable row level security;`)
    this.addSql(`alter table "membership" force row level security;`)
    this.addSql(
      `create policy "tenant" on "membership" using (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid) with check (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid);`,
    )
    this.addSql(
      `create policy "joins_in_person" on "membership" as restrictive for insert with check (user_id = nullif(current_setting('daybook.user_id', true), '')::uuid);`,
    )
    this.addSql(`alter table "invitation" enable row level security;`)
    this.addSql(`alter table "invitation" force row level security;`)
    this.addSql(
      `create policy "tenant" on "invitation" using (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid) with check (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid);`,
    )
    this.addSql(`alter table "api_key" enable row level security;`)
    this.addSql(`alter table "api_key" force row level security;`)
    this.addSql(
      `create policy "tenant" on "api_key" using (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid) with check (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid);`,
    )
    this.addSql(`alter table "account" enable row level security;`)
    this.addSql(`alter table "account" force row level security;`)
    this.addSql(
      `create policy "own_select" on "account" for select using (current_setting('daybook.scope', true) = 'identity' and user_id = nullif(current_setting('daybook.user_id', true), '')::uuid);`,
    )
    this.addSql(
      `create policy "own_insert" on "account" for insert with check (user_id = nullif(current_setting('daybook.user_id', true), '')::uuid);`,
    )
    this.addSql(
      `create policy "own_update" on "account" for update using (current_setting('daybook.scope', true) = 'identity' and user_id = nullif(current_setting('daybook.user_id', true), '')::uuid) with check (current_setting('daybook.scope', true) = 'identity' and user_id = nullif(current_setting('daybook.user_id', true), '')::uuid);`,
    )
    this.addSql(
      `create policy "own_delete" on "account" for delete using (current_setting('daybook.scope', true) = 'identity' and user_id = nullif(current_setting('daybook.user_id', true), '')::uuid);`,
    )
    this.addSql(`alter table "user_permission" enable row level security;`)
    this.addSql(`alter table "user_permission" force row level security;`)
    this.addSql(
      `create policy "tenant" on "user_permission" using (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid) with check (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid);`,
    )
    this.addSql(`alter table "user_profile" enable row level security;`)
    this.addSql(`alter table "user_profile" force row level security;`)
    this.addSql(
      `create policy "visible" on "user_profile" for select using (user_id = nullif(current_setting('daybook.user_id', true), '')::uuid or exists (select 1 from membership m where m.user_id = user_profile.user_id));`,
    )
    this.addSql(
      `create policy "own_insert" on "user_profile" for insert with check (user_id = nullif(current_setting('daybook.user_id', true), '')::uuid);`,
    )
    this.addSql(
      `create policy "own_update" on "user_profile" for update using (user_id = nullif(current_setting('daybook.user_id', true), '')::uuid) with check (user_id = nullif(current_setting('daybook.user_id', true), '')::uuid);`,
    )
    this.addSql(`alter table "user_role" enable row level security;`)
    this.addSql(`alter table "user_role" force row level security;`)
    this.addSql(
      `create policy "tenant" on "user_role" using (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid) with check (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid);`,
    )
    this.addSql(`alter table "verification_token" enable row level security;`)
    this.addSql(`alter table "verification_token" force row level security;`)
    this.addSql(
      `create policy "presented" on "verification_token" using (current_setting('daybook.scope', true) = 'identity' and (token = nullif(current_setting('daybook.claim_digest', true), '') or identifier = nullif(current_setting('daybook.claim_email', true), ''))) with check (current_setting('daybook.scope', true) = 'identity' and (token = nullif(current_setting('daybook.claim_digest', true), '') or identifier = nullif(current_setting('daybook.claim_email', true), '')));`,
    )
    this.addSql(`grant select on "membership" to daybook_directory;`)
  }

  override down(): void {
    // Policies of people's tables look at memberships, so the tables go together.
    this.addSql(`drop table "api_key" cascade;`)
    this.addSql(`drop table "user_permission" cascade;`)
    this.addSql(`drop table "user_role" cascade;`)
    this.addSql(`drop table "invitation" cascade;`)
    this.addSql(`drop table "membership" cascade;`)
    this.addSql(`drop table "role_permission" cascade;`)
    this.addSql(`drop table "role" cascade;`)
    this.addSql(`drop table "permission" cascade;`)
    this.addSql(`drop table "organization" cascade;`)
    this.addSql(`drop table "password_reset_token" cascade;`)
    this.addSql(`drop table "verification_token" cascade;`)
    this.addSql(`drop table "session" cascade;`)
    this.addSql(`drop table "account" cascade;`)
    this.addSql(`drop table "password_credential" cascade;`)
    this.addSql(`drop table "user_profile" cascade;`)
    this.addSql(`drop table "app_user" cascade;`)
    this.addSql(`drop function "role_guard_insert_fn"();`)
    this.addSql(`drop function "role_guard_update_fn"();`)
    this.addSql(`drop function "role_permission_guard_insert_fn"();`)
    this.addSql(`drop function "role_permission_guard_update_fn"();`)
    this.addSql(`drop function "membership_guard_insert_fn"();`)
    this.addSql(`drop function "membership_guard_update_fn"();`)
    this.addSql(`drop function "invitation_guard_insert_fn"();`)
    this.addSql(`drop function "invitation_guard_update_fn"();`)
    this.addSql(`drop function "api_key_guard_insert_fn"();`)
    this.addSql(`drop function "api_key_guard_update_fn"();`)
    this.addSql(`drop function "user_permission_guard_insert_fn"();`)
    this.addSql(`drop function "user_permission_guard_update_fn"();`)
    this.addSql(`drop function "user_role_guard_insert_fn"();`)
    this.addSql(`drop function "user_role_guard_update_fn"();`)
  }
}
