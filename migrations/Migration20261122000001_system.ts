import { Migration } from '@mikro-orm/migrations'

/** Runs of jobs. A new table only, so nothing is locked. */
export class Migration20261122000001_system extends Migration {
  override up(): void {
    this.addSql(
      `create table "job_run" ("id" uuid not null, "created_at" timestamptz(3) not null default now(), "updated_at" timestamptz(3) not null default now(), "job" text not null, "tenant_id" uuid null, "status" text not null default 'RUNNING', "started_at" timestamptz(3) not null, "finished_at" timestamptz(3) null, "processed" int not null default 0, "failed" int not null default 0, "dry_run" boolean not null default false, "error" text null, "position" uuid null, primary key ("id"));`,
    )
    this.addSql(`create index "job_run_job_started_at_index" on "job_run" ("job", "started_at");`)
    this.addSql(`create index "job_run_tenant_id_started_at_index" on "job_run" ("tenant_id", "started_at");`)
    this.addSql(`alter table "job_run" add constraint "job_run_status_check" check ("status" in ('RUNNING', 'OK', 'FAILED', 'SKIPPED'));`)
    this.addSql(
      `create trigger "touch" before update on "job_run" for each row when (new.updated_at is not distinct from old.updated_at and (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on')) execute function daybook_touch();`,
    )
    this.addSql(`alter table "job_run" enable row level security;`)
    this.addSql(`alter table "job_run" force row level security;`)
    this.addSql(
      `create policy "own_runs" on "job_run" for select using (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid);`,
    )
  }

  override down(): void {
    this.addSql(`drop table "job_run";`)
  }
}
