import { Migration } from '@mikro-orm/migrations'

/** A marketplace, newsletters and bookings, with the rules that hold between their rows. New tables only, so nothing is locked. */
export class Migration20261123000006_commerce extends Migration {
  override up(): void {
    this.addSql(
      `create table "booking_slot" ("id" uuid not null, "created_at" timestamptz(3) not null default now(), "updated_at" timestamptz(3) not null default now(), "tenant_id" uuid not null, "kind" text not null default 'AVAILABLE', "starts_at" timestamptz(3) not null, "ends_at" timestamptz(3) not null, "time_zone" text not null, "capacity" int not null default 1, "is_blocked" boolean not null default false, "booked" int not null default 0, primary key ("id"));`,
    )
    this.addSql(`create index "booking_slot_tenant_id_starts_at_index" on "booking_slot" ("tenant_id", "starts_at");`)
    this.addSql(
      `create table "audit_booking" ("id" uuid not null, "created_at" timestamptz(3) not null default now(), "updated_at" timestamptz(3) not null default now(), "tenant_id" uuid not null, "slot_id" uuid not null, "audit_type" text not null, "status" text not null default 'SCHEDULED', "contact_email" text not null, "contact_name" text not null, "notes" text null, "time_zone" text not null, "meeting_url" text null, "replaces_id" uuid null, "version" int not null default 1, primary key ("id"));`,
    )
    this.addSql(`create index "audit_booking_tenant_id_slot_id_status_index" on "audit_booking" ("tenant_id", "slot_id", "status");`)
    this.addSql(`create index "audit_booking_slot_id_index" on "audit_booking" ("slot_id");`)
    this.addSql(`create index "audit_booking_replaces_id_index" on "audit_booking" ("replaces_id");`)
    this.addSql(
      `create table "marketplace_item" ("id" uuid not null, "created_at" timestamptz(3) not null default now(), "updated_at" timestamptz(3) not null default now(), "tenant_id" uuid not null, "sku" text not null, "title" text not null, "kind" text not null, "status" text not null default 'AVAILABLE', "price_minor" bigint not null, "currency" text not null, "description" text null, "version" int not null default 1, primary key ("id"));`,
    )
    this.addSql(`create index "marketplace_item_tenant_id_status_kind_index" on "marketplace_item" ("tenant_id", "status", "kind");`)
    this.addSql(`alter table "marketplace_item" add constraint "marketplace_item_tenant_id_sku_unique" unique ("tenant_id", "sku");`)
    this.addSql(
      `create table "newsletter_issue" ("id" uuid not null, "created_at" timestamptz(3) not null default now(), "updated_at" timestamptz(3) not null default now(), "tenant_id" uuid not null, "subject" text not null, "body" text not null, "status" text not null default 'DRAFT', "scheduled_at" timestamptz(3) null, "sent_at" timestamptz(3) null, "stats" jsonb not null default '{"delivered": 0}', "position" uuid null, "version" int not null default 1, primary key ("id"));`,
    )
    this.addSql(
      `create index "newsletter_issue_tenant_id_status_scheduled_at_index" on "newsletter_issue" ("tenant_id", "status", "scheduled_at");`,
    )
    this.addSql(
      `create table "newsletter_subscriber" ("id" uuid not null, "created_at" timestamptz(3) not null default now(), "updated_at" timestamptz(3) not null default now(), "tenant_id" uuid not null, "email" text not null, "status" text not null default 'PENDING', "locale" text not null default 'en', "source" text not null, "confirmed_at" timestamptz(3) null, "unsubscribed_at" timestamptz(3) null, "confirmation_hash" text null, "confirm_by" timestamptz(3) null, "unsubscribe_token" text not null, "unsubscribe_hash" text not null, "version" int not null default 1, primary key ("id"));`,
    )
    this.addSql(`create index "newsletter_subscriber_tenant_id_status_id_index" on "newsletter_subscriber" ("tenant_id", "status", "id");`)
    this.addSql(
      `alter table "newsletter_subscriber" add constraint "newsletter_subscriber_tenant_id_email_unique" unique ("tenant_id", "email");`,
    )
    this.addSql(
      `alter table "newsletter_subscriber" add constraint "newsletter_subscriber_tenant_id_confirmation_hash_unique" unique ("tenant_id", "confirmation_hash");`,
    )
    this.addSql(
      `alter table "newsletter_subscriber" add constraint "newsletter_subscriber_tenant_id_unsubscribe_hash_unique" unique ("tenant_id", "unsubscribe_hash");`,
    )
    this.addSql(
      `create table "order_series" ("id" uuid not null, "created_at" timestamptz(3) not null default now(), "updated_at" timestamptz(3) not null default now(), "tenant_id" uuid not null, "year" int not null, "last" int not null, primary key ("id"));`,
    )
    this.addSql(`alter table "order_series" add constraint "order_series_tenant_id_year_unique" unique ("tenant_id", "year");`)
    this.addSql(
      `create table "marketplace_order" ("id" uuid not null, "created_at" timestamptz(3) not null default now(), "updated_at" timestamptz(3) not null default now(), "tenant_id" uuid not null, "number" text not null, "buyer_id" uuid not null, "status" text not null default 'PENDING', "total_minor" bigint not null, "currency" text not null, "placed_at" timestamptz(3) not null, "version" int not null default 1, primary key ("id"));`,
    )
    this.addSql(
      `create index "marketplace_order_tenant_id_status_placed_at_index" on "marketplace_order" ("tenant_id", "status", "placed_at");`,
    )
    this.addSql(`create index "marketplace_order_buyer_id_index" on "marketplace_order" ("buyer_id");`)
    this.addSql(
      `alter table "marketplace_order" add constraint "marketplace_order_tenant_id_number_unique" unique ("tenant_id", "number");`,
    )
    this.addSql(
      `create table "marketplace_order_item" ("id" uuid not null, "created_at" timestamptz(3) not null default now(), "updated_at" timestamptz(3) not null default now(), "tenant_id" uuid not null, "order_id" uuid not null, "item_id" uuid not null, "quantity" int not null, "unit_minor" bigint not null, primary key ("id"));`,
    )
    this.addSql(`create index "marketplace_order_item_order_id_index" on "marketplace_order_item" ("order_id");`)
    this.addSql(`create index "marketplace_order_item_item_id_index" on "marketplace_order_item" ("item_id");`)
    this.addSql(
      `alter table "marketplace_order_item" add constraint "marketplace_order_item_tenant_id_order_id_item_id_unique" unique ("tenant_id", "order_id", "item_id");`,
    )
    this.addSql(`alter table "booking_slot" add constraint "booking_slot_time" check (starts_at < ends_at);`)
    this.addSql(`alter table "booking_slot" add constraint "booking_slot_capacity" check (capacity >= 1);`)
    this.addSql(`alter table "booking_slot" add constraint "booking_slot_seats" check (booked >= 0 and booked <= capacity);`)
    this.addSql(
      `alter table "booking_slot" add constraint "booking_slot_blocked" check ((kind = 'AVAILABLE' or is_blocked) and (not is_blocked or booked = 0));`,
    )
    this.addSql(`alter table "booking_slot" add constraint "booking_slot_kind_check" check ("kind" in ('AVAILABLE', 'BLOCKED'));`)
    this.addSql(
      `create or replace function "booking_slot_counted_insert_fn"() returns trigger as $$ begin raise exception using errcode = '23514', table = 'booking_slot', constraint = 'booking_slot_counted_insert', message = 'the seats of a slot are counted with its bookings'; end; $$ language plpgsql set search_path = "public", pg_temp;`,
    )
    this.addSql(
      `create trigger "counted_insert" before insert on "booking_slot" for each row when (new.booked <> 0 and pg_trigger_depth() = 0) execute function "booking_slot_counted_insert_fn"();`,
    )
    this.addSql(
      `create or replace function "booking_slot_counted_update_fn"() returns trigger as $$ begin raise exception using errcode = '23514', table = 'booking_slot', constraint = 'booking_slot_counted_update', message = 'the seats of a slot are counted with its bookings'; end; $$ language plpgsql set search_path = "public", pg_temp;`,
    )
    this.addSql(
      `create trigger "counted_update" before update on "booking_slot" for each row when (new.booked is distinct from old.booked and pg_trigger_depth() = 0) execute function "booking_slot_counted_update_fn"();`,
    )
    this.addSql(
      `create trigger "touch" before update on "booking_slot" for each row when (new.updated_at is not distinct from old.updated_at and (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on')) execute function daybook_touch();`,
    )
    this.addSql(
      `create trigger "guard_identity" before update on "booking_slot" for each row when (new.tenant_id is distinct from old.tenant_id or new.id is distinct from old.id) execute function daybook_refuse_identity_change('tenant_id', 'id');`,
    )
    this.addSql(
      `create trigger "audit_insert" after insert on "booking_slot" referencing new table as new_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('booking-slot', 'tenant_id', '', '{}');`,
    )
    this.addSql(
      `create trigger "audit_update" after update on "booking_slot" referencing old table as old_rows new table as new_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('booking-slot', 'tenant_id', '', '{}');`,
    )
    this.addSql(
      `create trigger "audit_delete" after delete on "booking_slot" referencing old table as old_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('booking-slot', 'tenant_id', '', '{}');`,
    )
    this.addSql(`alter table "booking_slot" enable row level security;`)
    this.addSql(`alter table "booking_slot" force row level security;`)
    this.addSql(
      `create policy "tenant" on "booking_slot" using (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid) with check (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid);`,
    )
    this.addSql(
      `alter table "audit_booking" add constraint "audit_booking_slot_id_foreign" foreign key ("slot_id") references "booking_slot" ("id");`,
    )
    this.addSql(
      `alter table "audit_booking" add constraint "audit_booking_replaces_id_foreign" foreign key ("replaces_id") references "audit_booking" ("id") on delete set null;`,
    )
    this.addSql(`alter table "audit_booking" add constraint "audit_booking_email_lower_case" check (contact_email = lower(contact_email));`)
    this.addSql(
      `alter table "audit_booking" add constraint "audit_booking_audit_type_check" check ("audit_type" in ('WEBSITE', 'SECURITY', 'ACCESSIBILITY', 'PERFORMANCE'));`,
    )
    this.addSql(
      `alter table "audit_booking" add constraint "audit_booking_status_check" check ("status" in ('SCHEDULED', 'CONFIRMED', 'IN_PROGRESS', 'COMPLETED', 'CANCELLED', 'NO_SHOW', 'RESCHEDULED'));`,
    )
    this.addSql(
      `create or replace function "audit_booking_seats_fn"() returns trigger as $$ declare change int := 0; begin if tg_op <> 'DELETE' and new.status not in ('CANCELLED', 'RESCHEDULED') then change := 1; end if; if tg_op <> 'INSERT' and old.status not in ('CANCELLED', 'RESCHEDULED') then change := change - 1; end if; if change <> 0 then update booking_slot s set booked = s.booked + change where s.id = coalesce(new.slot_id, old.slot_id); end if; return null; end; $$ language plpgsql set search_path = "public", pg_temp;`,
    )
    this.addSql(
      `create trigger "seats" after insert or delete or update of status on "audit_booking" for each row execute function "audit_booking_seats_fn"();`,
    )
    this.addSql(
      `create trigger "touch" before update on "audit_booking" for each row when (new.updated_at is not distinct from old.updated_at and (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on')) execute function daybook_touch();`,
    )
    this.addSql(
      `create trigger "guard_identity" before update on "audit_booking" for each row when (new.tenant_id is distinct from old.tenant_id or new.id is distinct from old.id or new.slot_id is distinct from old.slot_id or new.audit_type is distinct from old.audit_type) execute function daybook_refuse_identity_change('tenant_id', 'id', 'slot_id', 'audit_type');`,
    )
    this.addSql(
      `create or replace function "audit_booking_guard_insert_fn"() returns trigger as $$ begin if exists (select from inserted n where n.slot_id is not null and not exists (select from "booking_slot" t where t.id = n.slot_id and t.tenant_id = n.tenant_id)) then raise exception using errcode = '23503', table = 'audit_booking', constraint = 'audit_booking_slot_id_foreign', message = 'insert or update on table "audit_booking" violates foreign key constraint "audit_booking_slot_id_foreign"', detail = 'Key is not present in table "booking_slot".'; end if; if exists (select from inserted n where n.replaces_id is not null and not exists (select from "audit_booking" t where t.id = n.replaces_id and t.tenant_id = n.tenant_id)) then raise exception using errcode = '23503', table = 'audit_booking', constraint = 'audit_booking_replaces_id_foreign', message = 'insert or update on table "audit_booking" violates foreign key constraint "audit_booking_replaces_id_foreign"', detail = 'Key is not present in table "audit_booking".'; end if; return null; end; $$ language plpgsql set search_path = "public", pg_temp;`,
    )
    this.addSql(
      `create trigger "guard_insert" after insert on "audit_booking" referencing new table as inserted for each statement execute function "audit_booking_guard_insert_fn"();`,
    )
    this.addSql(
      `create or replace function "audit_booking_guard_update_fn"() returns trigger as $$ begin if new.slot_id is distinct from old.slot_id and new.slot_id is not null and not exists (select from "booking_slot" t where t.id = new.slot_id and t.tenant_id = new.tenant_id) then raise exception using errcode = '23503', table = 'audit_booking', constraint = 'audit_booking_slot_id_foreign', message = 'insert or update on table "audit_booking" violates foreign key constraint "audit_booking_slot_id_foreign"', detail = 'Key is not present in table "booking_slot".'; end if; if new.replaces_id is distinct from old.replaces_id and new.replaces_id is not null and not exists (select from "audit_booking" t where t.id = new.replaces_id and t.tenant_id = new.tenant_id) then raise exception using errcode = '23503', table = 'audit_booking', constraint = 'audit_booking_replaces_id_foreign', message = 'insert or update on table "audit_booking" violates foreign key constraint "audit_booking_replaces_id_foreign"', detail = 'Key is not present in table "audit_booking".'; end if; return null; end; $$ language plpgsql set search_path = "public", pg_temp;`,
    )
    this.addSql(
      `create trigger "guard_update" after update on "audit_booking" for each row when (new.slot_id is distinct from old.slot_id or new.replaces_id is distinct from old.replaces_id) execute function "audit_booking_guard_update_fn"();`,
    )
    this.addSql(
      `create trigger "audit_insert" after insert on "audit_booking" referencing new table as new_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('audit-booking', 'tenant_id', 'version', '{}');`,
    )
    this.addSql(
      `create trigger "audit_update" after update on "audit_booking" referencing old table as old_rows new table as new_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('audit-booking', 'tenant_id', 'version', '{}');`,
    )
    this.addSql(
      `create trigger "audit_delete" after delete on "audit_booking" referencing old table as old_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('audit-booking', 'tenant_id', 'version', '{}');`,
    )
    this.addSql(`alter table "audit_booking" enable row level security;`)
    this.addSql(`alter table "audit_booking" force row level security;`)
    this.addSql(
      `create policy "tenant" on "audit_booking" using (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid) with check (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid);`,
    )
    this.addSql(`alter table "marketplace_item" add constraint "marketplace_item_price" check (price_minor >= 0);`)
    this.addSql(`alter table "marketplace_item" add constraint "marketplace_item_currency" check (currency ~ '^[A-Z]{3}$');`)
    this.addSql(`alter table "marketplace_item" add constraint "marketplace_item_kind_check" check ("kind" in ('PRODUCT', 'SERVICE'));`)
    this.addSql(
      `alter table "marketplace_item" add constraint "marketplace_item_status_check" check ("status" in ('AVAILABLE', 'SOLD_OUT', 'COMING_SOON'));`,
    )
    this.addSql(
      `create trigger "touch" before update on "marketplace_item" for each row when (new.updated_at is not distinct from old.updated_at and (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on')) execute function daybook_touch();`,
    )
    this.addSql(
      `create trigger "guard_identity" before update on "marketplace_item" for each row when (new.tenant_id is distinct from old.tenant_id or new.id is distinct from old.id) execute function daybook_refuse_identity_change('tenant_id', 'id');`,
    )
    this.addSql(
      `create trigger "audit_insert" after insert on "marketplace_item" referencing new table as new_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('marketplace-item', 'tenant_id', 'version', '{}');`,
    )
    this.addSql(
      `create trigger "audit_update" after update on "marketplace_item" referencing old table as old_rows new table as new_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('marketplace-item', 'tenant_id', 'version', '{}');`,
    )
    this.addSql(
      `create trigger "audit_delete" after delete on "marketplace_item" referencing old table as old_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('marketplace-item', 'tenant_id', 'version', '{}');`,
    )
    this.addSql(`alter table "marketplace_item" enable row level security;`)
    this.addSql(`alter table "marketplace_item" force row level security;`)
    this.addSql(
      `create policy "tenant" on "marketplace_item" using (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid) with check (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid);`,
    )
    this.addSql(
      `alter table "newsletter_issue" add constraint "newsletter_issue_scheduled" check ((status = 'DRAFT') = (scheduled_at is null));`,
    )
    this.addSql(`alter table "newsletter_issue" add constraint "newsletter_issue_sent" check ((status = 'DONE') = (sent_at is not null));`)
    this.addSql(
      `alter table "newsletter_issue" add constraint "newsletter_issue_status_check" check ("status" in ('DRAFT', 'SCHEDULED', 'RUNNING', 'PAUSED', 'DONE'));`,
    )
    this.addSql(
      `create or replace function "newsletter_issue_one_wording_fn"() returns trigger as $$ begin raise exception using errcode = '23514', table = 'newsletter_issue', constraint = 'newsletter_issue_one_wording', message = 'everybody gets the same newsletter: once it is being sent, its words stay'; end; $$ language plpgsql set search_path = "public", pg_temp;`,
    )
    this.addSql(
      `create trigger "one_wording" before update on "newsletter_issue" for each row when (old.status in ('RUNNING', 'PAUSED', 'DONE') and (new.subject <> old.subject or new.body <> old.body)) execute function "newsletter_issue_one_wording_fn"();`,
    )
    this.addSql(
      `create trigger "touch" before update on "newsletter_issue" for each row when (new.updated_at is not distinct from old.updated_at and (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on')) execute function daybook_touch();`,
    )
    this.addSql(
      `create trigger "guard_identity" before update on "newsletter_issue" for each row when (new.tenant_id is distinct from old.tenant_id or new.id is distinct from old.id) execute function daybook_refuse_identity_change('tenant_id', 'id');`,
    )
    this.addSql(
      `create trigger "audit_insert" after insert on "newsletter_issue" referencing new table as new_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('newsletter-issue', 'tenant_id', 'version', '{}');`,
    )
    this.addSql(
      `create trigger "audit_update" after update on "newsletter_issue" referencing old table as old_rows new table as new_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('newsletter-issue', 'tenant_id', 'version', '{}');`,
    )
    this.addSql(
      `create trigger "audit_delete" after delete on "newsletter_issue" referencing old table as old_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('newsletter-issue', 'tenant_id', 'version', '{}');`,
    )
    this.addSql(`alter table "newsletter_issue" enable row level security;`)
    this.addSql(`alter table "newsletter_issue" force row level security;`)
    this.addSql(
      `create policy "tenant" on "newsletter_issue" using (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid) with check (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid);`,
    )
    this.addSql(`alter table "newsletter_subscriber" add constraint "newsletter_subscriber_email_lower_case" check (email = lower(email));`)
    this.addSql(
      `alter table "newsletter_subscriber" add constraint "newsletter_subscriber_confirmed" check (status <> 'ACTIVE' or confirmed_at is not null);`,
    )
    this.addSql(
      `alter table "newsletter_subscriber" add constraint "newsletter_subscriber_unsubscribed" check (status <> 'UNSUBSCRIBED' or unsubscribed_at is not null);`,
    )
    this.addSql(
      `alter table "newsletter_subscriber" add constraint "newsletter_subscriber_token" check ((confirmation_hash is null) = (confirm_by is null) and (status = 'PENDING' or confirmation_hash is null));`,
    )
    this.addSql(
      `alter table "newsletter_subscriber" add constraint "newsletter_subscriber_status_check" check ("status" in ('PENDING', 'ACTIVE', 'UNSUBSCRIBED', 'BOUNCED', 'COMPLAINED'));`,
    )
    this.addSql(
      `create or replace function "newsletter_subscriber_complaint_stays_fn"() returns trigger as $$ begin raise exception using errcode = '23514', table = 'newsletter_subscriber', constraint = 'newsletter_subscriber_complaint_stays', message = 'an address that has complained gets nothing again'; end; $$ language plpgsql set search_path = "public", pg_temp;`,
    )
    this.addSql(
      `create trigger "complaint_stays" before update on "newsletter_subscriber" for each row when (old.status = 'COMPLAINED' and new.status <> 'COMPLAINED') execute function "newsletter_subscriber_complaint_stays_fn"();`,
    )
    this.addSql(
      `create trigger "touch" before update on "newsletter_subscriber" for each row when (new.updated_at is not distinct from old.updated_at and (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on')) execute function daybook_touch();`,
    )
    this.addSql(
      `create trigger "guard_identity" before update on "newsletter_subscriber" for each row when (new.tenant_id is distinct from old.tenant_id or new.id is distinct from old.id or new.email is distinct from old.email) execute function daybook_refuse_identity_change('tenant_id', 'id', 'email');`,
    )
    this.addSql(
      `create trigger "audit_insert" after insert on "newsletter_subscriber" referencing new table as new_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('newsletter-subscriber', 'tenant_id', 'version', '{confirmation_hash,unsubscribe_token,unsubscribe_hash}');`,
    )
    this.addSql(
      `create trigger "audit_update" after update on "newsletter_subscriber" referencing old table as old_rows new table as new_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('newsletter-subscriber', 'tenant_id', 'version', '{confirmation_hash,unsubscribe_token,unsubscribe_hash}');`,
    )
    this.addSql(
      `create trigger "audit_delete" after delete on "newsletter_subscriber" referencing old table as old_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('newsletter-subscriber', 'tenant_id', 'version', '{confirmation_hash,unsubscribe_token,unsubscribe_hash}');`,
    )
    this.addSql(`alter table "newsletter_subscriber" enable row level security;`)
    this.addSql(`alter table "newsletter_subscriber" force row level security;`)
    this.addSql(
      `create policy "tenant" on "newsletter_subscriber" using (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid) with check (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid);`,
    )
    this.addSql(`alter table "order_series" add constraint "order_series_last" check (last > 0);`)
    this.addSql(
      `create trigger "touch" before update on "order_series" for each row when (new.updated_at is not distinct from old.updated_at and (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on')) execute function daybook_touch();`,
    )
    this.addSql(
      `create trigger "guard_identity" before update on "order_series" for each row when (new.tenant_id is distinct from old.tenant_id or new.id is distinct from old.id) execute function daybook_refuse_identity_change('tenant_id', 'id');`,
    )
    this.addSql(`alter table "order_series" enable row level security;`)
    this.addSql(`alter table "order_series" force row level security;`)
    this.addSql(
      `create policy "tenant" on "order_series" using (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid) with check (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid);`,
    )
    this.addSql(
      `alter table "marketplace_order" add constraint "marketplace_order_buyer_id_foreign" foreign key ("buyer_id") references "app_user" ("id");`,
    )
    this.addSql(`alter table "marketplace_order" add constraint "marketplace_order_number" check (number ~ '^[0-9]{4}-[0-9]{6,}$');`)
    this.addSql(`alter table "marketplace_order" add constraint "marketplace_order_total" check (total_minor >= 0);`)
    this.addSql(`alter table "marketplace_order" add constraint "marketplace_order_currency" check (currency ~ '^[A-Z]{3}$');`)
    this.addSql(
      `alter table "marketplace_order" add constraint "marketplace_order_status_check" check ("status" in ('PENDING', 'PAID', 'FULFILLED', 'CANCELLED', 'REFUNDED'));`,
    )
    this.addSql(
      `create or replace function "marketplace_order_total_fn"() returns trigger as $$ begin if exists (select from marketplace_order o where o.id = new.id and o.total_minor is distinct from (select coalesce(sum(l.quantity * l.unit_minor), 0) from marketplace_order_item l where l.order_id = o.id)) then raise exception using errcode = '23514', table = 'marketplace_order', constraint = 'marketplace_order_total', message = 'the total of an order must be that of its lines'; end if; return null; end; $$ language plpgsql set search_path = "public", pg_temp;`,
    )
    this.addSql(
      `create constraint trigger "total" after insert or update of total_minor on "marketplace_order" deferrable initially deferred for each row execute function "marketplace_order_total_fn"();`,
    )
    this.addSql(
      `create or replace function "marketplace_order_stays_placed_fn"() returns trigger as $$ begin raise exception using errcode = '23514', table = 'marketplace_order', constraint = 'marketplace_order_stays_placed', message = 'an order that is no longer PENDING never is again, for its lines could change then'; end; $$ language plpgsql set search_path = "public", pg_temp;`,
    )
    this.addSql(
      `create trigger "stays_placed" before update on "marketplace_order" for each row when (old.status <> 'PENDING' and new.status = 'PENDING') execute function "marketplace_order_stays_placed_fn"();`,
    )
    this.addSql(
      `create trigger "touch" before update on "marketplace_order" for each row when (new.updated_at is not distinct from old.updated_at and (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on')) execute function daybook_touch();`,
    )
    this.addSql(
      `create trigger "guard_identity" before update on "marketplace_order" for each row when (new.tenant_id is distinct from old.tenant_id or new.id is distinct from old.id or new.number is distinct from old.number or new.buyer_id is distinct from old.buyer_id or new.currency is distinct from old.currency or new.placed_at is distinct from old.placed_at) execute function daybook_refuse_identity_change('tenant_id', 'id', 'number', 'buyer_id', 'currency', 'placed_at');`,
    )
    this.addSql(
      `create or replace function "marketplace_order_guard_insert_fn"() returns trigger as $$ begin if exists (select from inserted n where n.buyer_id is not null and not exists (select from "app_user" t where t.id = n.buyer_id)) then raise exception using errcode = '23503', table = 'marketplace_order', constraint = 'marketplace_order_buyer_id_foreign', message = 'insert or update on table "marketplace_order" violates foreign key constraint "marketplace_order_buyer_id_foreign"', detail = 'Key is not present in table "app_user".'; end if; return null; end; $$ language plpgsql set search_path = "public", pg_temp;`,
    )
    this.addSql(
      `create trigger "guard_insert" after insert on "marketplace_order" referencing new table as inserted for each statement execute function "marketplace_order_guard_insert_fn"();`,
    )
    this.addSql(
      `create or replace function "marketplace_order_guard_update_fn"() returns trigger as $$ begin if new.buyer_id is distinct from old.buyer_id and new.buyer_id is not null and not exists (select from "app_user" t where t.id = new.buyer_id) then raise exception using errcode = '23503', table = 'marketplace_order', constraint = 'marketplace_order_buyer_id_foreign', message = 'insert or update on table "marketplace_order" violates foreign key constraint "marketplace_order_buyer_id_foreign"', detail = 'Key is not present in table "app_user".'; end if; return null; end; $$ language plpgsql set search_path = "public", pg_temp;`,
    )
    this.addSql(
      `create trigger "guard_update" after update on "marketplace_order" for each row when (new.buyer_id is distinct from old.buyer_id) execute function "marketplace_order_guard_update_fn"();`,
    )
    this.addSql(
      `create trigger "audit_insert" after insert on "marketplace_order" referencing new table as new_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('marketplace-order', 'tenant_id', 'version', '{}');`,
    )
    this.addSql(
      `create trigger "audit_update" after update on "marketplace_order" referencing old table as old_rows new table as new_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('marketplace-order', 'tenant_id', 'version', '{}');`,
    )
    this.addSql(
      `create trigger "audit_delete" after delete on "marketplace_order" referencing old table as old_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('marketplace-order', 'tenant_id', 'version', '{}');`,
    )
    this.addSql(`alter table "marketplace_order" enable row level security;`)
    this.addSql(`alter table "marketplace_order" force row level security;`)
    this.addSql(
      `create policy "tenant" on "marketplace_order" using (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid) with check (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid);`,
    )
    this.addSql(
      `alter table "marketplace_order_item" add constraint "marketplace_order_item_order_id_foreign" foreign key ("order_id") references "marketplace_order" ("id") on delete cascade;`,
    )
    this.addSql(
      `alter table "marketplace_order_item" add constraint "marketplace_order_item_item_id_foreign" foreign key ("item_id") references "marketplace_item" ("id");`,
    )
    this.addSql(
      `alter table "marketplace_order_item" add constraint "marketplace_order_item_amount" check (quantity > 0 and unit_minor >= 0);`,
    )
    this.addSql(
      `create or replace function "marketplace_order_item_frozen_fn"() returns trigger as $$ declare state text; begin select o.status into state from marketplace_order o where o.id = coalesce(new.order_id, old.order_id) for no key update; if state <> 'PENDING' then raise exception using errcode = '23514', table = 'marketplace_order_item', constraint = 'marketplace_order_item_frozen', message = 'lines of an order change only while it is PENDING'; end if; return coalesce(new, old); end; $$ language plpgsql set search_path = "public", pg_temp;`,
    )
    this.addSql(
      `create trigger "frozen" before insert or delete or update of quantity, unit_minor on "marketplace_order_item" for each row execute function "marketplace_order_item_frozen_fn"();`,
    )
    this.addSql(
      `create or replace function "marketplace_order_item_total_fn"() returns trigger as $$ begin if exists (select from marketplace_order o where o.id = coalesce(new.order_id, old.order_id) and o.total_minor is distinct from (select coalesce(sum(l.quantity * l.unit_minor), 0) from marketplace_order_item l where l.order_id = o.id)) then raise exception using errcode = '23514', table = 'marketplace_order_item', constraint = 'marketplace_order_item_total', message = 'the total of an order must be that of its lines'; end if; return null; end; $$ language plpgsql set search_path = "public", pg_temp;`,
    )
    this.addSql(
      `create constraint trigger "total" after insert or delete or update of quantity, unit_minor on "marketplace_order_item" deferrable initially deferred for each row execute function "marketplace_order_item_total_fn"();`,
    )
    this.addSql(
      `create trigger "touch" before update on "marketplace_order_item" for each row when (new.updated_at is not distinct from old.updated_at and (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on')) execute function daybook_touch();`,
    )
    this.addSql(
      `create trigger "guard_identity" before update on "marketplace_order_item" for each row when (new.tenant_id is distinct from old.tenant_id or new.id is distinct from old.id or new.order_id is distinct from old.order_id or new.item_id is distinct from old.item_id) execute function daybook_refuse_identity_change('tenant_id', 'id', 'order_id', 'item_id');`,
    )
    this.addSql(
      `create or replace function "marketplace_order_item_guard_insert_fn"() returns trigger as $$ begin if exists (select from inserted n where n.order_id is not null and not exists (select from "marketplace_order" t where t.id = n.order_id and t.tenant_id = n.tenant_id)) then raise exception using errcode = '23503', table = 'marketplace_order_item', constraint = 'marketplace_order_item_order_id_foreign', message = 'insert or update on table "marketplace_order_item" violates foreign key constraint "marketplace_order_item_order_id_foreign"', detail = 'Key is not present in table "marketplace_order".'; end if; if exists (select from inserted n where n.item_id is not null and not exists (select from "marketplace_item" t where t.id = n.item_id and t.tenant_id = n.tenant_id)) then raise exception using errcode = '23503', table = 'marketplace_order_item', constraint = 'marketplace_order_item_item_id_foreign', message = 'insert or update on table "marketplace_order_item" violates foreign key constraint "marketplace_order_item_item_id_foreign"', detail = 'Key is not present in table "marketplace_item".'; end if; return null; end; $$ language plpgsql set search_path = "public", pg_temp;`,
    )
    this.addSql(
      `create trigger "guard_insert" after insert on "marketplace_order_item" referencing new table as inserted for each statement execute function "marketplace_order_item_guard_insert_fn"();`,
    )
    this.addSql(
      `create or replace function "marketplace_order_item_guard_update_fn"() returns trigger as $$ begin if new.order_id is distinct from old.order_id and new.order_id is not null and not exists (select from "marketplace_order" t where t.id = new.order_id and t.tenant_id = new.tenant_id) then raise exception using errcode = '23503', table = 'marketplace_order_item', constraint = 'marketplace_order_item_order_id_foreign', message = 'insert or update on table "marketplace_order_item" violates foreign key constraint "marketplace_order_item_order_id_foreign"', detail = 'Key is not present in table "marketplace_order".'; end if; if new.item_id is distinct from old.item_id and new.item_id is not null and not exists (select from "marketplace_item" t where t.id = new.item_id and t.tenant_id = new.tenant_id) then raise exception using errcode = '23503', table = 'marketplace_order_item', constraint = 'marketplace_order_item_item_id_foreign', message = 'insert or update on table "marketplace_order_item" violates foreign key constraint "marketplace_order_item_item_id_foreign"', detail = 'Key is not present in table "marketplace_item".'; end if; return null; end; $$ language plpgsql set search_path = "public", pg_temp;`,
    )
    this.addSql(
      `create trigger "guard_update" after update on "marketplace_order_item" for each row when (new.order_id is distinct from old.order_id or new.item_id is distinct from old.item_id) execute function "marketplace_order_item_guard_update_fn"();`,
    )
    this.addSql(
      `create trigger "audit_insert" after insert on "marketplace_order_item" referencing new table as new_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('marketplace-order-item', 'tenant_id', '', '{}');`,
    )
    this.addSql(
      `create trigger "audit_update" after update on "marketplace_order_item" referencing old table as old_rows new table as new_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('marketplace-order-item', 'tenant_id', '', '{}');`,
    )
    this.addSql(
      `create trigger "audit_delete" after delete on "marketplace_order_item" referencing old table as old_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('marketplace-order-item', 'tenant_id', '', '{}');`,
    )
    this.addSql(`alter table "marketplace_order_item" enable row level security;`)
    this.addSql(`alter table "marketplace_order_item" force row level security;`)
    this.addSql(
      `create policy "tenant" on "marketplace_order_item" using (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid) with check (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid);`,
    )
  }

  override down(): void {
    this.addSql(`drop table "marketplace_order_item";`)
    this.addSql(`drop table "marketplace_order";`)
    this.addSql(`drop table "order_series";`)
    this.addSql(`drop table "newsletter_subscriber";`)
    this.addSql(`drop table "newsletter_issue";`)
    this.addSql(`drop table "marketplace_item";`)
    this.addSql(`drop table "audit_booking";`)
    this.addSql(`drop table "booking_slot";`)
    this.addSql(`drop function "booking_slot_counted_insert_fn";`)
    this.addSql(`drop function "booking_slot_counted_update_fn";`)
    this.addSql(`drop function "audit_booking_seats_fn";`)
    this.addSql(`drop function "audit_booking_guard_insert_fn";`)
    this.addSql(`drop function "audit_booking_guard_update_fn";`)
    this.addSql(`drop function "newsletter_issue_one_wording_fn";`)
    this.addSql(`drop function "newsletter_subscriber_complaint_stays_fn";`)
    this.addSql(`drop function "marketplace_order_total_fn";`)
    this.addSql(`drop function "marketplace_order_stays_placed_fn";`)
    this.addSql(`drop function "marketplace_order_guard_insert_fn";`)
    this.addSql(`drop function "marketplace_order_guard_update_fn";`)
    this.addSql(`drop function "marketplace_order_item_frozen_fn";`)
    this.addSql(`drop function "marketplace_order_item_total_fn";`)
    this.addSql(`drop function "marketplace_order_item_guard_insert_fn";`)
    this.addSql(`drop function "marketplace_order_item_guard_update_fn";`)
  }
}
