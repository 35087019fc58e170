import { Migration } from '@mikro-orm/migrations'

/** What each subscriber gets of each issue. */
export class Migration20261123000013_newsletter extends Migration {
  override up(): void {
    this.addSql(
      `create table "newsletter_delivery" ("id" uuid not null, "created_at" timestamptz(3) not null default now(), "updated_at" timestamptz(3) not null default now(), "tenant_id" uuid not null, "issue_id" uuid not null, "subscriber_id" uuid not null, "status" text not null default 'PENDING', "attempt" int not null default 0, "next_attempt_at" timestamptz(3) null, "sent_at" timestamptz(3) null, "error" text null, primary key ("id"));`,
    )
    this.addSql(
      `create index "newsletter_delivery_tenant_id_next_attempt_at_index" on "newsletter_delivery" ("tenant_id", "next_attempt_at");`,
    )
    this.addSql(
      `create index "newsletter_delivery_tenant_id_status_updated_at_index" on "newsletter_delivery" ("tenant_id", "status", "updated_at");`,
    )
    this.addSql(`create index "newsletter_delivery_issue_id_index" on "newsletter_delivery" ("issue_id");`)
    this.addSql(`create index "newsletter_delivery_subscriber_id_index" on "newsletter_delivery" ("subscriber_id");`)
    this.addSql(
      `alter table "newsletter_delivery" add constraint "newsletter_delivery_tenant_id_issue_id_subscriber_id_unique" unique ("tenant_id", "issue_id", "subscriber_id");`,
    )
    this.addSql(
      `alter table "newsletter_delivery" add constraint "newsletter_delivery_issue_id_foreign" foreign key ("issue_id") references "newsletter_issue" ("id") on delete cascade;`,
    )
    this.addSql(
      `alter table "newsletter_delivery" add constraint "newsletter_delivery_subscriber_id_foreign" foreign key ("subscriber_id") references "newsletter_subscriber" ("id") on delete cascade;`,
    )
    this.addSql(
      `alter table "newsletter_delivery" add constraint "newsletter_delivery_next" check ((status = 'PENDING') = (next_attempt_at is not null));`,
    )
    this.addSql(
      `alter table "newsletter_delivery" add constraint "newsletter_delivery_sent" check ((status = 'SENT') = (sent_at is not null));`,
    )
    this.addSql(`alter table "newsletter_delivery" add constraint "newsletter_delivery_attempt" check (attempt >= 0);`)
    this.addSql(
      `alter table "newsletter_delivery" add constraint "newsletter_delivery_status_check" check ("status" in ('PENDING', 'SENT', 'SKIPPED', 'DEAD'));`,
    )
    this.addSql(
      `create trigger "touch" before update on "newsletter_delivery" for each row when (new.updated_at is not distinct from old.updated_at and (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on')) execute function daybook_touch();`,
    )
    this.addSql(
      `create trigger "guard_identity" before update on "newsletter_delivery" for each row when (new.tenant_id is distinct from old.tenant_id or new.id is distinct from old.id or new.issue_id is distinct from old.issue_id or new.subscriber_id is distinct from old.subscriber_id) execute function daybook_refuse_identity_change('tenant_id', 'id', 'issue_id', 'subscriber_id');`,
    )
    this.addSql(
      `create or replace function "newsletter_delivery_guard_insert_fn"() returns trigger as $$ begin if exists (select from inserted n where n.issue_id is not null and (select t.tenant_id from "newsletter_issue" t where t.id = n.issue_id) is distinct from n.tenant_id) then raise exception using errcode = '23503', table = 'newsletter_delivery', constraint = 'newsletter_delivery_issue_id_foreign', message = 'insert or update on table "newsletter_delivery" violates foreign key constraint "newsletter_delivery_issue_id_foreign"', detail = 'Key is not present in table "newsletter_issue".'; end if; if exists (select from inserted n where n.subscriber_id is not null and (select t.tenant_id from "newsletter_subscriber" t where t.id = n.subscriber_id) is distinct from n.tenant_id) then raise exception using errcode = '23503', table = 'newsletter_delivery', constraint = 'newsletter_delivery_subscriber_id_foreign', message = 'insert or update on table "newsletter_delivery" violates foreign key constraint "newsletter_delivery_subscriber_id_foreign"', detail = 'Key is not present in table "newsletter_subscriber".'; end if; return null; end; $$ language plpgsql set search_path = "public", pg_temp;`,
    )
    this.addSql(
      `create trigger "guard_insert" after insert on "newsletter_delivery" referencing new table as inserted for each statement execute function "newsletter_delivery_guard_insert_fn"();`,
    )
    this.addSql(
      `create or replace function "newsletter_delivery_guard_update_fn"() returns trigger as $$ begin if new.issue_id is distinct from old.issue_id and new.issue_id is not null and (select t.tenant_id from "newsletter_issue" t where t.id = new.issue_id) is distinct from new.tenant_id then raise exception using errcode = '23503', table = 'newsletter_delivery', constraint = 'newsletter_delivery_issue_id_foreign', message = 'insert or update on table "newsletter_delivery" violates foreign key constraint "newsletter_delivery_issue_id_foreign"', detail = 'Key is not present in table "newsletter_issue".'; end if; if new.subscriber_id is distinct from old.subscriber_id and new.subscriber_id is not null and (select t.tenant_id from "newsletter_subscriber" t where t.id = new.subscriber_id) is distinct from new.tenant_id then raise exception using errcode = '23503', table = 'newsletter_delivery', constraint = 'newsletter_delivery_subscriber_id_foreign', message = 'insert or update on table "newsletter_delivery" violates foreign key constraint "newsletter_delivery_subscriber_id_foreign"', detail = 'Key is not present in table "newsletter_subscriber".'; end if; return null; end; $$ language plpgsql set search_path = "public", pg_temp;`,
    )
    this.addSql(
      `create trigger "guard_update" after update on "newsletter_delivery" for each row when (new.issue_id is distinct from old.issue_id or new.subscriber_id is distinct from old.subscriber_id) execute function "newsletter_delivery_guard_update_fn"();`,
    )
    this.addSql(`alter table "newsletter_delivery" enable row level security;`)
    this.addSql(`alter table "newsletter_delivery" force row level security;`)
    this.addSql(
      `create policy "tenant" on "newsletter_delivery" using (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid) with check (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid);`,
    )
  }

  override down(): void {
    this.addSql(`drop table "newsletter_delivery";`)
    this.addSql(`drop function "newsletter_delivery_guard_insert_fn";`)
    this.addSql(`drop function "newsletter_delivery_guard_update_fn";`)
  }
}
