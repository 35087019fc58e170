import { Migration } from '@mikro-orm/migrations'

/** An answer that is kept says for which permissions it was shown. The column is added under a lock that everybody waits for a moment. */
export class Migration20261123000034_shown_for extends Migration {
  override up(): void {
    this.addSql(`alter table "idempotency_key" add column "shown_for" text[] not null default '{}';`)
  }

  override down(): void {
    this.addSql(`alter table "idempotency_key" drop column "shown_for";`)
  }
}
