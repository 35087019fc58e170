import { Migration } from '@mikro-orm/migrations'

/**
 * What services kept to by themselves holds for everybody who writes: whoever has left a newsletter doesn't come back by taking an event back,
 * and an order is of one currency. A project says when it was deleted; one that was before says nothing. The new column and its check look at
 * every project once, under a lock.
 */
export class Migration20261123000023_rules extends Migration {
  override up(): void {
    this.addSql(
      `create or replace function "newsletter_subscriber_leaving_stays_fn"() returns trigger as $$ begin raise exception using errcode = '23514', table = 'newsletter_subscriber', constraint = 'newsletter_subscriber_leaving_stays', message = 'whoever has left comes back by asking for it and confirming that'; end; $$ language plpgsql set search_path = "public", pg_temp;`,
    )
    this.addSql(
      `create trigger "leaving_stays" before update on "newsletter_subscriber" for each row when (old.status = 'UNSUBSCRIBED' and new.status = 'ACTIVE') execute function "newsletter_subscriber_leaving_stays_fn"();`,
    )
    this.addSql(
      `create or replace function "marketplace_order_item_currency_fn"() returns trigger as $$ begin if (select o.currency from marketplace_order o where o.id = new.order_id) <> (select i.currency from marketplace_item i where i.id = new.item_id) then raise exception using errcode = '23514', table = 'marketplace_order_item', constraint = 'marketplace_order_item_currency', message = 'a line must be priced in the currency of its order'; end if; return new; end; $$ language plpgsql set search_path = "public", pg_temp;`,
    )
    this.addSql(
      `create trigger "currency" before insert on "marketplace_order_item" for each row execute function "marketplace_order_item_currency_fn"();`,
    )
    this.addSql(`alter table "project" add column "deleted_at" timestamptz(3) null;`)
    this.addSql(`alter table "project" add constraint "project_deleted" check (deleted_at is null or status = 'DELETED');`)
  }

  override down(): void {
    this.addSql(`alter table "project" drop constraint "project_deleted";`)
    this.addSql(`alter table "project" drop column "deleted_at";`)
    this.addSql(`drop trigger "currency" on "marketplace_order_item";`)
    this.addSql(`drop function "marketplace_order_item_currency_fn";`)
    this.addSql(`drop trigger "leaving_stays" on "newsletter_subscriber";`)
    this.addSql(`drop function "newsletter_subscriber_leaving_stays_fn";`)
  }
}
