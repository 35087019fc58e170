import { Migration } from '@mikro-orm/migrations'

/** Vehicles and their inspections. New tables only, so nothing is locked. */
export class Migration20261124000001_fleet extends Migration {
  override name = 'Migration20261124000001_fleet'

  override up(): void | Promise<void> {
    this.addSql(
      `create table "vehicle" ("id" uuid not null, "created_at" timestamptz(3) not null default now(), "updated_at" timestamptz(3) not null default now(), "tenant_id" uuid not null, "plate" text not null, "model" text not null, "status" text not null default 'IN_SERVICE', "inspected_at" timestamptz(3) null, "version" int not null default 1, primary key ("id"));`,
    )
    this.addSql(`create index "vehicle_tenant_id_id_index" on "vehicle" ("tenant_id", "id");`)
    this.addSql(`create index "vehicle_tenant_id_status_index" on "vehicle" ("tenant_id", "status");`)
    this.addSql(`create index "vehicle_tenant_id_inspected_at_index" on "vehicle" ("tenant_id", "inspected_at");`)
    this.addSql(`alter table "vehicle" add constraint "vehicle_tenant_id_plate_unique" unique ("tenant_id", "plate");`)

    this.addSql(
      `create table "inspection" ("id" uuid not null, "created_at" timestamptz(3) not null default now(), "updated_at" timestamptz(3) not null default now(), "tenant_id" uuid not null, "vehicle_id" uuid not null, "passed" boolean not null, "notes" text not null, "repair_id" uuid null, primary key ("id"));`,
    )
    this.addSql(`create index "inspection_tenant_id_id_index" on "inspection" ("tenant_id", "id");`)
    this.addSql(`create index "inspection_tenant_id_vehicle_id_index" on "inspection" ("tenant_id", "vehicle_id");`)
    this.addSql(`create index "inspection_vehicle_id_tenant_id_index" on "inspection" ("vehicle_id", "tenant_id");`)
    this.addSql(`create index "inspection_repair_id_tenant_id_index" on "inspection" ("repair_id", "tenant_id");`)

    this.addSql(`alter table "vehicle" add constraint "vehicle_status_check" check ("status" in ('IN_SERVICE', 'GROUNDED', 'SOLD'));`)
    this.addSql(
      `create trigger "touch" before update on "vehicle" for each row when (new.updated_at is not distinct from old.updated_at and (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on')) execute function daybook_touch();`,
    )
    this.addSql(
      `create trigger "guard_identity" before update on "vehicle" for each row when (new.tenant_id is distinct from old.tenant_id or new.id is distinct from old.id) execute function daybook_refuse_identity_change('tenant_id', 'id');`,
    )
    this.addSql(
      `create trigger "audit_insert" after insert on "vehicle" referencing new table as new_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('vehicle', 'tenant_id', 'version', '{}');`,
    )
    this.addSql(
      `create trigger "audit_update" after update on "vehicle" referencing old table as old_rows new table as new_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('vehicle', 'tenant_id', 'version', '{}');`,
    )
    this.addSql(
      `create trigger "audit_delete" after delete on "vehicle" referencing old table as old_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('vehicle', 'tenant_id', 'version', '{}');`,
    )
    this.addSql(`alter table "vehicle" enable row level security;`)
    this.addSql(`alter table "vehicle" force row level security;`)
    this.addSql(
      `create policy "tenant" on "vehicle" using (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid) with check (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid);`,
    )

    this.addSql(
      `alter table "inspection" add constraint "inspection_vehicle_id_foreign" foreign key ("vehicle_id") references "vehicle" ("id");`,
    )
    this.addSql(
      `alter table "inspection" add constraint "inspection_repair_id_foreign" foreign key ("repair_id") references "task" ("id") on delete set null;`,
    )
    this.addSql(
      `create trigger "touch" before update on "inspection" for each row when (new.updated_at is not distinct from old.updated_at and (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on')) execute function daybook_touch();`,
    )
    this.addSql(
      `create trigger "guard_identity" before update on "inspection" for each row when (new.tenant_id is distinct from old.tenant_id or new.id is distinct from old.id) execute function daybook_refuse_identity_change('tenant_id', 'id');`,
    )
    this.addSql(
      `create or replace function "inspection_guard_insert_fn"() returns trigger as $$ begin if exists (select from inserted n where n.vehicle_id is not null and (select t.tenant_id from "vehicle" t where t.id = n.vehicle_id) is distinct from n.tenant_id) then raise exception using errcode = '23503', table = 'inspection', constraint = 'inspection_vehicle_id_foreign', message = 'insert or update on table "inspection" violates foreign key constraint "inspection_vehicle_id_foreign"', detail = 'Key is not present in table "vehicle".'; end if; if exists (select from inserted n where n.repair_id is not null and (select t.tenant_id from "task" t where t.id = n.repair_id) is distinct from n.tenant_id) then raise exception using errcode = '23503', table = 'inspection', constraint = 'inspection_repair_id_foreign', message = 'insert or update on table "inspection" violates foreign key constraint "inspection_repair_id_foreign"', detail = 'Key is not present in table "task".'; end if; return null; end; $$ language plpgsql set search_path = "public", pg_temp;`,
    )
    this.addSql(
      `create trigger "guard_insert" after insert on "inspection" referencing new table as inserted for each statement execute function "inspection_guard_insert_fn"();`,
    )
    this.addSql(
      `create or replace function "inspection_guard_update_fn"() returns trigger as $$ begin if new.vehicle_id is distinct from old.vehicle_id and new.vehicle_id is not null and (select t.tenant_id from "vehicle" t where t.id = new.vehicle_id) is distinct from new.tenant_id then raise exception using errcode = '23503', table = 'inspection', constraint = 'inspection_vehicle_id_foreign', message = 'insert or update on table "inspection" violates foreign key constraint "inspection_vehicle_id_foreign"', detail = 'Key is not present in table "vehicle".'; end if; if new.repair_id is distinct from old.repair_id and new.repair_id is not null and (select t.tenant_id from "task" t where t.id = new.repair_id) is distinct from new.tenant_id then raise exception using errcode = '23503', table = 'inspection', constraint = 'inspection_repair_id_foreign', message = 'insert or update on table "inspection" violates foreign key constraint "inspection_repair_id_foreign"', detail = 'Key is not present in table "task".'; end if; return null; end; $$ language plpgsql set search_path = "public", pg_temp;`,
    )
    this.addSql(
      `create trigger "guard_update" after update on "inspection" for each row when (new.vehicle_id is distinct from old.vehicle_id or new.repair_id is distinct from old.repair_id) execute function "inspection_guard_update_fn"();`,
    )
    this.addSql(
      `create trigger "audit_insert" after insert on "inspection" referencing new table as new_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('inspection', 'tenant_id', '', '{}');`,
    )
    this.addSql(
      `create trigger "audit_update" after update on "inspection" referencing old table as old_rows new table as new_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('inspection', 'tenant_id', '', '{}');`,
    )
    this.addSql(
      `create trigger "audit_delete" after delete on "inspection" referencing old table as old_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('inspection', 'tenant_id', '', '{}');`,
    )
    this.addSql(`alter table "inspection" enable row level security;`)
    this.addSql(`alter table "inspection" force row level security;`)
    this.addSql(
      `create policy "tenant" on "inspection" using (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid) with check (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid);`,
    )
  }

  override down(): void | Promise<void> {
    this.addSql(`alter table "inspection" drop constraint "inspection_vehicle_id_foreign";`)

    this.addSql(`drop trigger if exists "touch" on "vehicle";`)
    this.addSql(`drop function if exists "vehicle_touch_fn"();`)
    this.addSql(`drop trigger if exists "guard_identity" on "vehicle";`)
    this.addSql(`drop function if exists "vehicle_guard_identity_fn"();`)
    this.addSql(`drop trigger if exists "audit_insert" on "vehicle";`)
    this.addSql(`drop function if exists "vehicle_audit_insert_fn"();`)
    this.addSql(`drop trigger if exists "audit_update" on "vehicle";`)
    this.addSql(`drop function if exists "vehicle_audit_update_fn"();`)
    this.addSql(`drop trigger if exists "audit_delete" on "vehicle";`)
    this.addSql(`drop function if exists "vehicle_audit_delete_fn"();`)
    this.addSql(`drop table if exists "vehicle" cascade;`)
    this.addSql(`drop trigger if exists "touch" on "inspection";`)
    this.addSql(`drop function if exists "inspection_touch_fn"();`)
    this.addSql(`drop trigger if exists "guard_identity" on "inspection";`)
    this.addSql(`drop function if exists "inspection_guard_identity_fn"();`)
    this.addSql(`drop trigger if exists "guard_insert" on "inspection";`)
    this.addSql(`drop function if exists "inspection_guard_insert_fn"();`)
    this.addSql(`drop trigger if exists "guard_update" on "inspection";`)
    this.addSql(`drop function if exists "inspection_guard_update_fn"();`)
    this.addSql(`drop trigger if exists "audit_insert" on "inspection";`)
    this.addSql(`drop function if exists "inspection_audit_insert_fn"();`)
    this.addSql(`drop trigger if exists "audit_update" on "inspection";`)
    this.addSql(`drop function if exists "inspection_audit_update_fn"();`)
    this.addSql(`drop trigger if exists "audit_delete" on "inspection";`)
    this.addSql(`drop function if exists "inspection_audit_delete_fn"();`)
    this.addSql(`drop table if exists "inspection" cascade;`)
  }
}
