import { Migration } from '@mikro-orm/migrations'

/** Projects, error signatures, attestations, audits of pages. New tables only, so nothing is locked. */
export class Migration20261122000004_quality extends Migration {
  override up(): void {
    this.addSql(
      `create table "project" ("id" uuid not null, "created_at" timestamptz(3) not null default now(), "updated_at" timestamptz(3) not null default now(), "tenant_id" uuid not null, "name" text not null, "slug" text not null, "repository_url" text null, "default_branch" text not null default 'main', "language" text null, "status" text not null default 'ACTIVE', "version" int not null default 1, primary key ("id"));`,
    )
    this.addSql(`alter table "project" add constraint "project_tenant_id_slug_unique" unique ("tenant_id", "slug");`)
    this.addSql(
      `create table "error_signature" ("id" uuid not null, "created_at" timestamptz(3) not null default now(), "updated_at" timestamptz(3) not null default now(), "tenant_id" uuid not null, "project_id" uuid not null, "hash" text not null, "detector" text not null, "severity" text not null, "message" text not null, "file" text null, "line" int null, "occurrences" int not null default 1, "first_seen_at" timestamptz(3) not null, "last_seen_at" timestamptz(3) not null, "resolved_at" timestamptz(3) null, primary key ("id"));`,
    )
    this.addSql(
      `create index "error_signature_tenant_id_project_id_last_seen_at_index" on "error_signature" ("tenant_id", "project_id", "last_seen_at");`,
    )
    this.addSql(`create index "error_signature_project_id_index" on "error_signature" ("project_id");`)
    this.addSql(
      `alter table "error_signature" add constraint "error_signature_tenant_id_project_id_hash_unique" unique ("tenant_id", "project_id", "hash");`,
    )
    this.addSql(
      `create table "fix_attestation" ("id" uuid not null, "created_at" timestamptz(3) not null default now(), "updated_at" timestamptz(3) not null default now(), "tenant_id" uuid not null, "project_id" uuid not null, "signature_id" uuid null, "request_id" text not null, "sequence" int not null, "hash" text not null, "prev_hash" text not null, "files_changed" int not null, "lines_added" int not null, "lines_removed" int not null, "status" text not null, primary key ("id"));`,
    )
    this.addSql(`create index "fix_attestation_project_id_index" on "fix_attestation" ("project_id");`)
    this.addSql(`create index "fix_attestation_signature_id_index" on "fix_attestation" ("signature_id");`)
    this.addSql(
      `alter table "fix_attestation" add constraint "fix_attestation_tenant_id_project_id_sequence_unique" unique ("tenant_id", "project_id", "sequence");`,
    )
    this.addSql(
      `create table "audit_result" ("id" uuid not null, "created_at" timestamptz(3) not null default now(), "updated_at" timestamptz(3) not null default now(), "tenant_id" uuid not null, "project_id" uuid not null, "url" text not null, "environment" text not null default 'production', "device" text not null default 'desktop', "scores" jsonb not null, "totals" jsonb not null, "status" text not null, "duration_ms" int not null, primary key ("id"));`,
    )
    this.addSql(
      `create index "audit_result_tenant_id_project_id_created_at_index" on "audit_result" ("tenant_id", "project_id", "created_at");`,
    )
    this.addSql(`create index "audit_result_project_id_index" on "audit_result" ("project_id");`)
    this.addSql(
      `create table "audit_issue" ("id" uuid not null, "created_at" timestamptz(3) not null default now(), "updated_at" timestamptz(3) not null default now(), "tenant_id" uuid not null, "result_id" uuid not null, "suite" text not null, "severity" text not null, "message" text not null, "selector" text null, "recommendation" text null, primary key ("id"));`,
    )
    this.addSql(`create index "audit_issue_tenant_id_result_id_suite_index" on "audit_issue" ("tenant_id", "result_id", "suite");`)
    this.addSql(`create index "audit_issue_result_id_index" on "audit_issue" ("result_id");`)
    this.addSql(`alter table "project" add constraint "project_status_check" check ("status" in ('ACTIVE', 'ARCHIVED', 'DELETED'));`)
    this.addSql(
      `create trigger "touch" before update on "project" for each row when (new.updated_at is not distinct from old.updated_at and (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on')) execute function daybook_touch();`,
    )
    this.addSql(
      `create trigger "guard_identity" before update on "project" for each row when (new.tenant_id is distinct from old.tenant_id or new.id is distinct from old.id) execute function daybook_refuse_identity_change('tenant_id', 'id');`,
    )
    this.addSql(
      `create trigger "audit_insert" after insert on "project" referencing new table as new_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('project', 'tenant_id', 'version', '{}');`,
    )
    this.addSql(
      `create trigger "audit_update" after update on "project" referencing old table as old_rows new table as new_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('project', 'tenant_id', 'version', '{}');`,
    )
    this.addSql(
      `create trigger "audit_delete" after delete on "project" referencing old table as old_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('project', 'tenant_id', 'version', '{}');`,
    )
    this.addSql(`alter table "project" enable row level security;`)
    this.addSql(`alter table "project" force row level security;`)
    this.addSql(
      `create policy "tenant" on "project" using (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid) with check (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid);`,
    )
    this.addSql(
      `alter table "error_signature" add constraint "error_signature_project_id_foreign" foreign key ("project_id") references "project" ("id");`,
    )
    this.addSql(`alter table "error_signature" add constraint "error_signature_occurrences" check (occurrences > 0);`)
    this.addSql(`alter table "error_signature" add constraint "error_signature_seen" check (first_seen_at <= last_seen_at);`)
    this.addSql(
      `alter table "error_signature" add constraint "error_signature_severity_check" check ("severity" in ('CRITICAL', 'HIGH', 'MEDIUM', 'LOW', 'INFO'));`,
    )
    this.addSql(
      `create trigger "touch" before update on "error_signature" for each row when (new.updated_at is not distinct from old.updated_at and (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on')) execute function daybook_touch();`,
    )
    this.addSql(
      `create trigger "guard_identity" before update on "error_signature" for each row when (new.tenant_id is distinct from old.tenant_id or new.id is distinct from old.id or new.project_id is distinct from old.project_id or new.hash is distinct from old.hash or new.detector is distinct from old.detector or new.message is distinct from old.message or new.file is distinct from old.file or new.line is distinct from old.line) execute function daybook_refuse_identity_change('tenant_id', 'id', 'project_id', 'hash', 'detector', 'message', 'file', 'line');`,
    )
    this.addSql(
      `create or replace function "error_signature_guard_insert_fn"() returns trigger as $$ begin if exists (select from inserted n where n.project_id is not null and not exists (select from "project" t where t.id = n.project_id and t.tenant_id = n.tenant_id)) then raise exception using errcode = '23503', table = 'error_signature', constraint = 'error_signature_project_id_foreign', message = 'insert or update on table "error_signature" violates foreign key constraint "error_signature_project_id_foreign"', detail = 'Key is not present in table "project".'; end if; return null; end; $$ language plpgsql set search_path = "public", pg_temp;`,
    )
    this.addSql(
      `create trigger "guard_insert" after insert on "error_signature" referencing new table as inserted for each statement execute function "error_signature_guard_insert_fn"();`,
    )
    this.addSql(
      `create or replace function "error_signature_guard_update_fn"() returns trigger as $$ begin if new.project_id is distinct from old.project_id and new.project_id is not null and not exists (select from "project" t where t.id = new.project_id and t.tenant_id = new.tenant_id) then raise exception using errcode = '23503', table = 'error_signature', constraint = 'error_signature_project_id_foreign', message = 'insert or update on table "error_signature" violates foreign key constraint "error_signature_project_id_foreign"', detail = 'Key is not present in table "project".'; end if; return null; end; $$ language plpgsql set search_path = "public", pg_temp;`,
    )
    this.addSql(
      `create trigger "guard_update" after update on "error_signature" for each row when (new.project_id is distinct from old.project_id) execute function "error_signature_guard_update_fn"();`,
    )
    this.addSql(
      `create trigger "audit_insert" after insert on "error_signature" referencing new table as new_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('error-signature', 'tenant_id', '', '{}');`,
    )
    this.addSql(
      `create trigger "audit_update" after update on "error_signature" referencing old table as old_rows new table as new_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('error-signature', 'tenant_id', '', '{}');`,
    )
    this.addSql(
      `create trigger "audit_delete" after delete on "error_signature" referencing old table as old_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('error-signature', 'tenant_id', '', '{}');`,
    )
    this.addSql(`alter table "error_signature" enable row level security;`)
    this.addSql(`alter table "error_signature" force row level security;`)
    this.addSql(
      `create policy "tenant" on "error_signature" using (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid) with check (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid);`,
    )
    this.addSql(
      `alter table "fix_attestation" add constraint "fix_attestation_project_id_foreign" foreign key ("project_id") references "project" ("id");`,
    )
    this.addSql(
      `alter table "fix_attestation" add constraint "fix_attestation_signature_id_foreign" foreign key ("signature_id") references "error_signature" ("id") on delete set null;`,
    )
    this.addSql(
      `alter table "fix_attestation" add constraint "fix_attestation_counts" check (sequence > 0 and files_changed >= 0 and lines_added >= 0 and lines_removed >= 0);`,
    )
    this.addSql(
      `alter table "fix_attestation" add constraint "fix_attestation_status_check" check ("status" in ('SUCCESS', 'PARTIAL', 'FAILED'));`,
    )
    this.addSql(
      `create trigger "touch" before update on "fix_attestation" for each row when (new.updated_at is not distinct from old.updated_at and (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on')) execute function daybook_touch();`,
    )
    this.addSql(
      `create trigger "guard_identity" before update on "fix_attestation" for each row when (new.tenant_id is distinct from old.tenant_id or new.id is distinct from old.id) execute function daybook_refuse_identity_change('tenant_id', 'id');`,
    )
    this.addSql(
      `create or replace function "fix_attestation_guard_insert_fn"() returns trigger as $$ begin if exists (select from inserted n where n.project_id is not null and not exists (select from "project" t where t.id = n.project_id and t.tenant_id = n.tenant_id)) then raise exception using errcode = '23503', table = 'fix_attestation', constraint = 'fix_attestation_project_id_foreign', message = 'insert or update on table "fix_attestation" violates foreign key constraint "fix_attestation_project_id_foreign"', detail = 'Key is not present in table "project".'; end if; if exists (select from inserted n where n.signature_id is not null and not exists (select from "error_signature" t where t.id = n.signature_id and t.tenant_id = n.tenant_id)) then raise exception using errcode = '23503', table = 'fix_attestation', constraint = 'fix_attestation_signature_id_foreign', message = 'insert or update on table "fix_attestation" violates foreign key constraint "fix_attestation_signature_id_foreign"', detail = 'Key is not present in table "error_signature".'; end if; return null; end; $$ language plpgsql set search_path = "public", pg_temp;`,
    )
    this.addSql(
      `create trigger "guard_insert" after insert on "fix_attestation" referencing new table as inserted for each statement execute function "fix_attestation_guard_insert_fn"();`,
    )
    this.addSql(
      `create or replace function "fix_attestation_guard_update_fn"() returns trigger as $$ begin if new.project_id is distinct from old.project_id and new.project_id is not null and not exists (select from "project" t where t.id = new.project_id and t.tenant_id = new.tenant_id) then raise exception using errcode = '23503', table = 'fix_attestation', constraint = 'fix_attestation_project_id_foreign', message = 'insert or update on table "fix_attestation" violates foreign key constraint "fix_attestation_project_id_foreign"', detail = 'Key is not present in table "project".'; end if; if new.signature_id is distinct from old.signature_id and new.signature_id is not null and not exists (select from "error_signature" t where t.id = new.signature_id and t.tenant_id = new.tenant_id) then raise exception using errcode = '23503', table = 'fix_attestation', constraint = 'fix_attestation_signature_id_foreign', message = 'insert or update on table "fix_attestation" violates foreign key constraint "fix_attestation_signature_id_foreign"', detail = 'Key is not present in table "error_signature".'; end if; return null; end; $$ language plpgsql set search_path = "public", pg_temp;`,
    )
    this.addSql(
      `create trigger "guard_update" after update on "fix_attestation" for each row when (new.project_id is distinct from old.project_id or new.signature_id is distinct from old.signature_id) execute function "fix_attestation_guard_update_fn"();`,
    )
    this.addSql(
      `create trigger "audit_insert" after insert on "fix_attestation" referencing new table as new_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('fix-attestation', 'tenant_id', '', '{}');`,
    )
    this.addSql(
      `create trigger "audit_update" after update on "fix_attestation" referencing old table as old_rows new table as new_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('fix-attestation', 'tenant_id', '', '{}');`,
    )
    this.addSql(
      `create trigger "audit_delete" after delete on "fix_attestation" referencing old table as old_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('fix-attestation', 'tenant_id', '', '{}');`,
    )
    this.addSql(`alter table "fix_attestation" enable row level security;`)
    this.addSql(`alter table "fix_attestation" force row level security;`)
    this.addSql(
      `create policy "tenant" on "fix_attestation" using (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid) with check (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid);`,
    )
    this.addSql(
      `alter table "audit_result" add constraint "audit_result_project_id_foreign" foreign key ("project_id") references "project" ("id");`,
    )
    this.addSql(`alter table "audit_result" add constraint "audit_result_duration" check (duration_ms >= 0);`)
    this.addSql(
      `alter table "audit_result" add constraint "audit_result_status_check" check ("status" in ('SUCCESS', 'PARTIAL', 'FAILED'));`,
    )
    this.addSql(
      `create trigger "touch" before update on "audit_result" for each row when (new.updated_at is not distinct from old.updated_at and (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on')) execute function daybook_touch();`,
    )
    this.addSql(
      `create trigger "guard_identity" before update on "audit_result" for each row when (new.tenant_id is distinct from old.tenant_id or new.id is distinct from old.id) execute function daybook_refuse_identity_change('tenant_id', 'id');`,
    )
    this.addSql(
      `create or replace function "audit_result_guard_insert_fn"() returns trigger as $$ begin if exists (select from inserted n where n.project_id is not null and not exists (select from "project" t where t.id = n.project_id and t.tenant_id = n.tenant_id)) then raise exception using errcode = '23503', table = 'audit_result', constraint = 'audit_result_project_id_foreign', message = 'insert or update on table "audit_result" violates foreign key constraint "audit_result_project_id_foreign"', detail = 'Key is not present in table "project".'; end if; return null; end; $$ language plpgsql set search_path = "public", pg_temp;`,
    )
    this.addSql(
      `create trigger "guard_insert" after insert on "audit_result" referencing new table as inserted for each statement execute function "audit_result_guard_insert_fn"();`,
    )
    this.addSql(
      `create or replace function "audit_result_guard_update_fn"() returns trigger as $$ begin if new.project_id is distinct from old.project_id and new.project_id is not null and not exists (select from "project" t where t.id = new.project_id and t.tenant_id = new.tenant_id) then raise exception using errcode = '23503', table = 'audit_result', constraint = 'audit_result_project_id_foreign', message = 'insert or update on table "audit_result" violates foreign key constraint "audit_result_project_id_foreign"', detail = 'Key is not present in table "project".'; end if; return null; end; $$ language plpgsql set search_path = "public", pg_temp;`,
    )
    this.addSql(
      `create trigger "guard_update" after update on "audit_result" for each row when (new.project_id is distinct from old.project_id) execute function "audit_result_guard_update_fn"();`,
    )
    this.addSql(
      `create trigger "audit_insert" after insert on "audit_result" referencing new table as new_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('audit-result', 'tenant_id', '', '{}');`,
    )
    this.addSql(
      `create trigger "audit_update" after update on "audit_result" referencing old table as old_rows new table as new_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('audit-result', 'tenant_id', '', '{}');`,
    )
    this.addSql(
      `create trigger "audit_delete" after delete on "audit_result" referencing old table as old_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('audit-result', 'tenant_id', '', '{}');`,
    )
    this.addSql(`alter table "audit_result" enable row level security;`)
    this.addSql(`alter table "audit_result" force row level security;`)
    this.addSql(
      `create policy "tenant" on "audit_result" using (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid) with check (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid);`,
    )
    this.addSql(
      `alter table "audit_issue" add constraint "audit_issue_result_id_foreign" foreign key ("result_id") references "audit_result" ("id") on delete cascade;`,
    )
    this.addSql(
      `alter table "audit_issue" add constraint "audit_issue_suite_check" check ("suite" in ('ACCESSIBILITY', 'PERFORMANCE', 'SECURITY', 'SEO'));`,
    )
    this.addSql(
      `alter table "audit_issue" add constraint "audit_issue_severity_check" check ("severity" in ('CRITICAL', 'HIGH', 'MEDIUM', 'LOW', 'INFO'));`,
    )
    this.addSql(
      `create trigger "touch" before update on "audit_issue" for each row when (new.updated_at is not distinct from old.updated_at and (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on')) execute function daybook_touch();`,
    )
    this.addSql(
      `create trigger "guard_identity" before update on "audit_issue" for each row when (new.tenant_id is distinct from old.tenant_id or new.id is distinct from old.id) execute function daybook_refuse_identity_change('tenant_id', 'id');`,
    )
    this.addSql(
      `create or replace function "audit_issue_guard_insert_fn"() returns trigger as $$ begin if exists (select from inserted n where n.result_id is not null and not exists (select from "audit_result" t where t.id = n.result_id and t.tenant_id = n.tenant_id)) then raise exception using errcode = '23503', table = 'audit_issue', constraint = 'audit_issue_result_id_foreign', message = 'insert or update on table "audit_issue" violates foreign key constraint "audit_issue_result_id_foreign"', detail = 'Key is not present in table "audit_result".'; end if; return null; end; $$ language plpgsql set search_path = "public", pg_temp;`,
    )
    this.addSql(
      `create trigger "guard_insert" after insert on "audit_issue" referencing new table as inserted for each statement execute function "audit_issue_guard_insert_fn"();`,
    )
    this.addSql(
      `create or replace function "audit_issue_guard_update_fn"() returns trigger as $$ begin if new.result_id is distinct from old.result_id and new.result_id is not null and not exists (select from "audit_result" t where t.id = new.result_id and t.tenant_id = new.tenant_id) then raise exception using errcode = '23503', table = 'audit_issue', constraint = 'audit_issue_result_id_foreign', message = 'insert or update on table "audit_issue" violates foreign key constraint "audit_issue_result_id_foreign"', detail = 'Key is not present in table "audit_result".'; end if; return null; end; $$ language plpgsql set search_path = "public", pg_temp;`,
    )
    this.addSql(
      `create trigger "guard_update" after update on "audit_issue" for each row when (new.result_id is distinct from old.result_id) execute function "audit_issue_guard_update_fn"();`,
    )
    this.addSql(
      `create trigger "audit_insert" after insert on "audit_issue" referencing new table as new_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('audit-issue', 'tenant_id', '', '{}');`,
    )
    this.addSql(
      `create trigger "audit_update" after update on "audit_issue" referencing old table as old_rows new table as new_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('audit-issue', 'tenant_id', '', '{}');`,
    )
    this.addSql(
      `create trigger "audit_delete" after delete on "audit_issue" referencing old table as old_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('audit-issue', 'tenant_id', '', '{}');`,
    )
    this.addSql(`alter table "audit_issue" enable row level security;`)
    this.addSql(`alter table "audit_issue" force row level security;`)
    this.addSql(
      `create policy "tenant" on "audit_issue" using (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid) with check (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid);`,
    )
  }

  override down(): void {
    this.addSql(`drop table "audit_issue";`)
    this.addSql(`drop table "audit_result";`)
    this.addSql(`drop table "fix_attestation";`)
    this.addSql(`drop table "error_signature";`)
    this.addSql(`drop table "project";`)
    this.addSql(`drop function "error_signature_guard_insert_fn";`)
    this.addSql(`drop function "error_signature_guard_update_fn";`)
    this.addSql(`drop function "fix_attestation_guard_insert_fn";`)
    this.addSql(`drop function "fix_attestation_guard_update_fn";`)
    this.addSql(`drop function "audit_result_guard_insert_fn";`)
    this.addSql(`drop function "audit_result_guard_update_fn";`)
    this.addSql(`drop function "audit_issue_guard_insert_fn";`)
    this.addSql(`drop function "audit_issue_guard_update_fn";`)
  }
}
