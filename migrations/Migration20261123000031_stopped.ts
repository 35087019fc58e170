import { Migration } from '@mikro-orm/migrations'

/** A run that was told to stop hasn't failed. */
export class Migration20261123000031_stopped extends Migration {
  override up(): void {
    this.statuses(`'RUNNING', 'OK', 'FAILED', 'STOPPED', 'SKIPPED'`)
  }

  override down(): void {
    // The owner, whom the policies bind, sees no rows until they don't.
    this.addSql(`alter table "job_run" no force row level security;`)
    this.addSql(`update "job_run" set "status" = 'FAILED' where "status" = 'STOPPED';`)
    this.addSql(`alter table "job_run" force row level security;`)
    this.statuses(`'RUNNING', 'OK', 'FAILED', 'SKIPPED'`)
  }

  private statuses(all: string): void {
    this.addSql(`alter table "job_run" drop constraint "job_run_status_check";`)
    this.addSql(`alter table "job_run" add constraint "job_run_status_check" check ("status" in (${all}));`)
  }
}
