import { Migration } from '@mikro-orm/migrations'

/**
 * A mail of a newsletter is marked once it is counted. Of those that were sent before as many are marked as their issue knows of; the table is
 * locked while they are, and while an index is built.
 */
export class Migration20261123000027_counted extends Migration {
  override up(): void {
    this.addSql(`alter table "newsletter_delivery" add column "is_counted" boolean not null default false;`)
    // The owner, whom the policies bind, sees no rows until they don't. Nobody has changed what is marked here.
    this.addSql(`alter table "newsletter_issue" no force row level security;`)
    this.addSql(`alter table "newsletter_delivery" no force row level security;`)
    this.addSql(`alter table "newsletter_delivery" disable trigger "touch";`)
    this.addSql(`update newsletter_delivery d set is_counted = true
      from (select id, issue_id, row_number() over (partition by issue_id order by sent_at, id) as place from newsletter_delivery where status = 'SENT') as s
      join newsletter_issue i on i.id = s.issue_id
      where d.id = s.id and s.place <= (i.stats ->> 'delivered')::bigint;`)
    this.addSql(`alter table "newsletter_delivery" enable trigger "touch";`)
    this.addSql(`alter table "newsletter_delivery" force row level security;`)
    this.addSql(`alter table "newsletter_issue" force row level security;`)
    this.addSql(`alter table "newsletter_delivery" add constraint "newsletter_delivery_counted" check (not is_counted or status = 'SENT');`)
    this.addSql(
      `create index "newsletter_delivery_uncounted" on "newsletter_delivery" ("tenant_id", "issue_id") where status = 'SENT' and not is_counted;`,
    )
  }

  override down(): void {
    this.addSql(`drop index "newsletter_delivery_uncounted";`)
    this.addSql(`alter table "newsletter_delivery" drop constraint "newsletter_delivery_counted";`)
    this.addSql(`alter table "newsletter_delivery" drop column "is_counted";`)
  }
}
