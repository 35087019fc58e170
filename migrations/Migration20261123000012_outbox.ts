import { Migration } from '@mikro-orm/migrations'

/** Messages for brokers. */
export class Migration20261123000012_outbox extends Migration {
  override up(): void {
    this.addSql(
      `create table "outbox_message" ("id" uuid not null, "created_at" timestamptz(3) not null default now(), "updated_at" timestamptz(3) not null default now(), "tenant_id" uuid not null, "event_id" uuid null, "topic" text not null, "key" text not null, "payload" jsonb null, "position" bigint generated always as identity not null, "status" text not null default 'PENDING', "available_at" timestamptz(3) not null default now(), "attempts" int not null default 0, "locked_by" text null, "published_at" timestamptz(3) null, "error" text null, primary key ("id"));`,
    )
    this.addSql(
      `create index "outbox_message_tenant_id_status_published_at_index" on "outbox_message" ("tenant_id", "status", "published_at");`,
    )
    this.addSql(
      `create index "outbox_message_tenant_id_position_index" on "outbox_message" ("tenant_id", "position") where status = 'PENDING';`,
    )
    this.addSql(
      `create index "outbox_message_tenant_id_topic_key_position_index" on "outbox_message" ("tenant_id", "topic", "key", "position") where status = 'PENDING';`,
    )
    this.addSql(`create index "outbox_message_event_id_index" on "outbox_message" ("event_id");`)
    this.addSql(
      `alter table "outbox_message" add constraint "outbox_message_tenant_id_topic_event_id_unique" unique ("tenant_id", "topic", "event_id");`,
    )
    this.addSql(`alter table "outbox_message" add constraint "outbox_message_topic" check (topic ~ '^[A-Za-z0-9._-]{1,249}$');`)
    this.addSql(`alter table "outbox_message" add constraint "outbox_message_told" check ((event_id is null) <> (payload is null));`)
    this.addSql(
      `alter table "outbox_message" add constraint "outbox_message_published" check ((status = 'SENT') = (published_at is not null));`,
    )
    this.addSql(`alter table "outbox_message" add constraint "outbox_message_locked" check (locked_by is null or status = 'PENDING');`)
    this.addSql(`alter table "outbox_message" add constraint "outbox_message_attempts" check (attempts >= 0);`)
    this.addSql(
      `alter table "outbox_message" add constraint "outbox_message_status_check" check ("status" in ('PENDING', 'SENT', 'DEAD'));`,
    )
    this.addSql(
      `create trigger "touch" before update on "outbox_message" for each row when (new.updated_at is not distinct from old.updated_at and (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on')) execute function daybook_touch();`,
    )
    this.addSql(
      `create trigger "guard_identity" before update on "outbox_message" for each row when (new.tenant_id is distinct from old.tenant_id or new.id is distinct from old.id or new.event_id is distinct from old.event_id or new.topic is distinct from old.topic or new.key is distinct from old.key or new.payload is distinct from old.payload) execute function daybook_refuse_identity_change('tenant_id', 'id', 'event_id', 'topic', 'key', 'payload');`,
    )
    this.addSql(
      `create or replace function "outbox_message_guard_insert_fn"() returns trigger as $$ begin if exists (select from inserted n where n.event_id is not null and not exists (select from "audit_event" t where t.id = n.event_id)) then raise exception using errcode = '23503', table = 'outbox_message', constraint = 'outbox_message_event_id_foreign', message = 'insert or update on table "outbox_message" violates foreign key constraint "outbox_message_event_id_foreign"', detail = 'Key is not present in table "audit_event".'; end if; return null; end; $$ language plpgsql set search_path = "public", pg_temp;`,
    )
    this.addSql(
      `create trigger "guard_insert" after insert on "outbox_message" referencing new table as inserted for each statement execute function "outbox_message_guard_insert_fn"();`,
    )
    this.addSql(
      `create or replace function "outbox_message_guard_update_fn"() returns trigger as $$ begin if new.event_id is distinct from old.event_id and new.event_id is not null and not exists (select from "audit_event" t where t.id = new.event_id) then raise exception using errcode = '23503', table = 'outbox_message', constraint = 'outbox_message_event_id_foreign', message = 'insert or update on table "outbox_message" violates foreign key constraint "outbox_message_event_id_foreign"', detail = 'Key is not present in table "audit_event".'; end if; return null; end; $$ language plpgsql set search_path = "public", pg_temp;`,
    )
    this.addSql(
      `create trigger "guard_update" after update on "outbox_message" for each row when (new.event_id is distinct from old.event_id) execute function "outbox_message_guard_update_fn"();`,
    )
    this.addSql(`alter table "outbox_message" enable row level security;`)
    this.addSql(`alter table "outbox_message" force row level security;`)
    this.addSql(
      `create policy "tenant" on "outbox_message" using (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid) with check (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid);`,
    )
  }

  override down(): void {
    this.addSql(`drop table "outbox_message";`)
    this.addSql(`drop function "outbox_message_guard_insert_fn";`)
    this.addSql(`drop function "outbox_message_guard_update_fn";`)
  }
}
