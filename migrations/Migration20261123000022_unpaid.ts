import { Migration } from '@mikro-orm/migrations'

/** Subscriptions that give nothing until somebody pays, and when each began. The table is locked while its rows are read once. */
export class Migration20261123000022_unpaid extends Migration {
  override up(): void {
    this.addSql(`alter table "subscription" add "begun_at" timestamptz(3) null;`)
    this.addSql(`alter table "subscription" drop constraint "subscription_status_check";`)
    this.addSql(
      `alter table "subscription" add constraint "subscription_status_check" check ("status" in ('TRIALING', 'ACTIVE', 'PAST_DUE', 'UNPAID', 'CANCELED'));`,
    )
  }

  /** Before it, what nobody paid for counted as past due. The owner, whom the policies bind, sees no rows until they don't. */
  override down(): void {
    this.addSql(`alter table "subscription" drop constraint "subscription_status_check";`)
    this.addSql(`alter table "subscription" no force row level security;`)
    this.addSql(`alter table "subscription" disable trigger user;`)
    this.addSql(`update "subscription" set "status" = 'PAST_DUE' where "status" = 'UNPAID';`)
    this.addSql(`alter table "subscription" enable trigger user;`)
    this.addSql(`alter table "subscription" force row level security;`)
    this.addSql(
      `alter table "subscription" add constraint "subscription_status_check" check ("status" in ('TRIALING', 'ACTIVE', 'PAST_DUE', 'CANCELED'));`,
    )
    this.addSql(`alter table "subscription" drop column "begun_at";`)
  }
}
