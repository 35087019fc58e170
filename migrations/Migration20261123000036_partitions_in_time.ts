import { Migration } from '@mikro-orm/migrations'

/**
 * A new partition needs the log for itself for a moment. Where somebody reads it for long, such as a backup, everybody who writes waited behind
 * the job that made one, as long as a statement waits for a lock; now for a second, and the job tries again. It locks nothing.
 */
export class Migration20261123000036_partitions_in_time extends Migration {
  override up(): void {
    this.addSql(`alter function daybook_prepare_audit_partitions(int) set lock_timeout = '1s';`)
  }

  override down(): void {
    this.addSql(`alter function daybook_prepare_audit_partitions(int) reset lock_timeout;`)
  }
}
