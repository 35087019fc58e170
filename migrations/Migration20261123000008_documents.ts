import { Migration } from '@mikro-orm/migrations'

/** Documents, what is read in them, and chats about them. New tables only, so nothing is locked. */
export class Migration20261123000008_documents extends Migration {
  override up(): void {
    // Contract: the words of a text, cut at blanks, and no text is refused: of one with more words than a vector holds, the first ones.
    this.addSql(`create function daybook_words_in(body text) returns tsvector language plpgsql immutable strict as $$
      begin return to_tsvector('pg_catalog.simple', body);
      exception when program_limit_exceeded then return to_tsvector('pg_catalog.simple', left(body, 50000)); end $$;`)
    this.addSql(
      `create table "document" ("id" uuid not null, "created_at" timestamptz(3) not null default now(), "updated_at" timestamptz(3) not null default now(), "tenant_id" uuid not null, "title" text not null, "storage_key" text not null, "mime_type" text not null, "size_bytes" bigint not null, "sha256" text not null, "status" text not null default 'PENDING', "ocr_text" text null, "ocr_meta" jsonb not null default '{}', "page_count" int null, "error" text null, "version" int not null default 1, "search_vector" tsvector generated always as (setweight(to_tsvector('simple'::regconfig, title), 'A') || setweight(daybook_words_in(coalesce(ocr_text, '')), 'B')) stored null, primary key ("id"));`,
    )
    this.addSql(`create index "document_tenant_id_status_created_at_index" on "document" ("tenant_id", "status", "created_at");`)
    this.addSql(`create index "document_search" on "document" using gin ("search_vector");`)
    this.addSql(`alter table "document" add constraint "document_tenant_id_storage_key_unique" unique ("tenant_id", "storage_key");`)
    this.addSql(`create unique index "document_same_file" on "document" ("tenant_id", "sha256") where status <> 'FAILED';`)
    this.addSql(
      `create table "document_embedding" ("id" uuid not null, "created_at" timestamptz(3) not null default now(), "updated_at" timestamptz(3) not null default now(), "tenant_id" uuid not null, "document_id" uuid not null, "chunk_index" int not null, "starts_at" int not null default 0, "content" text not null, "embedding" real[] not null, "model" text not null, "token_count" int not null, primary key ("id"));`,
    )
    this.addSql(`create index "document_embedding_tenant_id_model_index" on "document_embedding" ("tenant_id", "model");`)
    this.addSql(`create index "document_embedding_document_id_index" on "document_embedding" ("document_id");`)
    this.addSql(
      `alter table "document_embedding" add constraint "document_embedding_tenant_id_document_id_model_ch_068f3_unique" unique ("tenant_id", "document_id", "model", "chunk_index");`,
    )
    this.addSql(
      `create table "stray_file" ("id" uuid not null, "created_at" timestamptz(3) not null default now(), "updated_at" timestamptz(3) not null default now(), "tenant_id" uuid not null, "storage_key" text not null, "due_at" timestamptz(3) not null, "attempts" int not null default 0, "error" text null, primary key ("id"));`,
    )
    this.addSql(`create index "stray_file_tenant_id_due_at_index" on "stray_file" ("tenant_id", "due_at");`)
    this.addSql(`alter table "stray_file" add constraint "stray_file_tenant_id_storage_key_unique" unique ("tenant_id", "storage_key");`)
    this.addSql(
      `create table "document_chat" ("id" uuid not null, "created_at" timestamptz(3) not null default now(), "updated_at" timestamptz(3) not null default now(), "tenant_id" uuid not null, "document_id" uuid not null, "user_id" uuid not null, "title" text not null, "last_message_at" timestamptz(3) null, primary key ("id"));`,
    )
    this.addSql(
      `create index "document_chat_tenant_id_user_id_last_message_at_index" on "document_chat" ("tenant_id", "user_id", "last_message_at");`,
    )
    this.addSql(`create index "document_chat_tenant_id_document_id_index" on "document_chat" ("tenant_id", "document_id");`)
    this.addSql(`create index "document_chat_document_id_index" on "document_chat" ("document_id");`)
    this.addSql(`create index "document_chat_user_id_index" on "document_chat" ("user_id");`)
    this.addSql(
      `create table "chat_message" ("id" uuid not null, "created_at" timestamptz(3) not null default now(), "updated_at" timestamptz(3) not null default now(), "tenant_id" uuid not null, "chat_id" uuid not null, "user_id" uuid not null, "position" int not null, "role" text not null, "content" text not null, "citations" jsonb not null default '[]', "tokens" int null, primary key ("id"));`,
    )
    this.addSql(`create index "chat_message_chat_id_index" on "chat_message" ("chat_id");`)
    this.addSql(`create index "chat_message_user_id_index" on "chat_message" ("user_id");`)
    this.addSql(
      `alter table "chat_message" add constraint "chat_message_tenant_id_chat_id_position_unique" unique ("tenant_id", "chat_id", "position");`,
    )
    this.addSql(`alter table "document" add constraint "document_title" check (title ~ '[^[:space:]]');`)
    this.addSql(`alter table "document" add constraint "document_sha256_shape" check (sha256 ~ '^[0-9a-f]{64}$');`)
    this.addSql(
      `alter table "document" add constraint "document_mime_type_shape" check (mime_type ~ '^[a-z0-9][a-z0-9!#$&^_.+-]*/[a-z0-9][a-z0-9!#$&^_.+-]*$');`,
    )
    this.addSql(`alter table "document" add constraint "document_counts" check (size_bytes >= 0 and page_count >= 0);`)
    this.addSql(`alter table "document" add constraint "document_read" check ((status = 'COMPLETED') = (ocr_text is not null));`)
    this.addSql(`alter table "document" add constraint "document_failed" check ((status = 'FAILED') = (error is not null));`)
    this.addSql(
      `alter table "document" add constraint "document_status_check" check ("status" in ('PENDING', 'PROCESSING', 'COMPLETED', 'FAILED'));`,
    )
    this.addSql(
      `create or replace function "document_strays_file_fn"() returns trigger as $$ begin insert into stray_file (id, tenant_id, storage_key, due_at) values (gen_random_uuid(), old.tenant_id, old.storage_key, now()) on conflict (tenant_id, storage_key) do nothing; return null; end; $$ language plpgsql set search_path = "public", pg_temp;`,
    )
    this.addSql(`create trigger "strays_file" after delete on "document" for each row execute function "document_strays_file_fn"();`)
    this.addSql(
      `create trigger "touch" before update on "document" for each row when (new.updated_at is not distinct from old.updated_at and (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on')) execute function daybook_touch();`,
    )
    this.addSql(
      `create trigger "guard_identity" before update on "document" for each row when (new.tenant_id is distinct from old.tenant_id or new.id is distinct from old.id or new.storage_key is distinct from old.storage_key or new.mime_type is distinct from old.mime_type or new.size_bytes is distinct from old.size_bytes or new.sha256 is distinct from old.sha256) execute function daybook_refuse_identity_change('tenant_id', 'id', 'storage_key', 'mime_type', 'size_bytes', 'sha256');`,
    )
    this.addSql(
      `create trigger "audit_insert" after insert on "document" referencing new table as new_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('document', 'tenant_id', 'version', '{search_vector}');`,
    )
    this.addSql(
      `create trigger "audit_update" after update on "document" referencing old table as old_rows new table as new_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('document', 'tenant_id', 'version', '{search_vector}');`,
    )
    this.addSql(
      `create trigger "audit_delete" after delete on "document" referencing old table as old_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('document', 'tenant_id', 'version', '{search_vector}');`,
    )
    this.addSql(`alter table "document" enable row level security;`)
    this.addSql(`alter table "document" force row level security;`)
    this.addSql(
      `create policy "tenant" on "document" using (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid) with check (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid);`,
    )
    this.addSql(
      `alter table "document_embedding" add constraint "document_embedding_document_id_foreign" foreign key ("document_id") references "document" ("id") on delete cascade;`,
    )
    this.addSql(
      `alter table "document_embedding" add constraint "document_embedding_counts" check (chunk_index >= 0 and starts_at >= 0 and token_count >= 0);`,
    )
    this.addSql(
      `alter table "document_embedding" add constraint "document_embedding_direction" check (array_ndims(embedding) = 1 and array_position(embedding, null) is null and 'NaN'::real <> all (embedding) and 'Infinity'::real <> all (embedding) and '-Infinity'::real <> all (embedding) and 0::real <> any (embedding));`,
    )
    this.addSql(
      `create or replace function "document_embedding_dimension_fn"() returns trigger as $$ declare others int; begin perform pg_advisory_xact_lock(hashtextextended('daybook embeddings ' || new.tenant_id || new.model, 0)); select cardinality(e.embedding) into others from document_embedding e where e.tenant_id = new.tenant_id and e.model = new.model and e.id <> new.id limit 1; if others <> cardinality(new.embedding) then raise exception using errcode = '23514', table = 'document_embedding', constraint = 'document_embedding_dimension', message = 'a vector of another length than the others of this model'; end if; return new; end; $$ language plpgsql set search_path = "public", pg_temp;`,
    )
    this.addSql(
      `create trigger "dimension" before insert or update of embedding, model on "document_embedding" for each row execute function "document_embedding_dimension_fn"();`,
    )
    this.addSql(
      `create trigger "touch" before update on "document_embedding" for each row when (new.updated_at is not distinct from old.updated_at and (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on')) execute function daybook_touch();`,
    )
    this.addSql(
      `create trigger "guard_identity" before update on "document_embedding" for each row when (new.tenant_id is distinct from old.tenant_id or new.id is distinct from old.id or new.document_id is distinct from old.document_id) execute function daybook_refuse_identity_change('tenant_id', 'id', 'document_id');`,
    )
    this.addSql(
      `create or replace function "document_embedding_guard_insert_fn"() returns trigger as $$ begin if exists (select from inserted n where n.document_id is not null and not exists (select from "document" t where t.id = n.document_id and t.tenant_id = n.tenant_id)) then raise exception using errcode = '23503', table = 'document_embedding', constraint = 'document_embedding_document_id_foreign', message = 'insert or update on table "document_embedding" violates foreign key constraint "document_embedding_document_id_foreign"', detail = 'Key is not present in table "document".'; end if; return null; end; $$ language plpgsql set search_path = "public", pg_temp;`,
    )
    this.addSql(
      `create trigger "guard_insert" after insert on "document_embedding" referencing new table as inserted for each statement execute function "document_embedding_guard_insert_fn"();`,
    )
    this.addSql(
      `create or replace function "document_embedding_guard_update_fn"() returns trigger as $$ begin if new.document_id is distinct from old.document_id and new.document_id is not null and not exists (select from "document" t where t.id = new.document_id and t.tenant_id = new.tenant_id) then raise exception using errcode = '23503', table = 'document_embedding', constraint = 'document_embedding_document_id_foreign', message = 'insert or update on table "document_embedding" violates foreign key constraint "document_embedding_document_id_foreign"', detail = 'Key is not present in table "document".'; end if; return null; end; $$ language plpgsql set search_path = "public", pg_temp;`,
    )
    this.addSql(
      `create trigger "guard_update" after update on "document_embedding" for each row when (new.document_id is distinct from old.document_id) execute function "document_embedding_guard_update_fn"();`,
    )
    this.addSql(`alter table "document_embedding" enable row level security;`)
    this.addSql(`alter table "document_embedding" force row level security;`)
    this.addSql(
      `create policy "tenant" on "document_embedding" using (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid) with check (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid);`,
    )
    this.addSql(
      `create trigger "touch" before update on "stray_file" for each row when (new.updated_at is not distinct from old.updated_at and (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on')) execute function daybook_touch();`,
    )
    this.addSql(
      `create trigger "guard_identity" before update on "stray_file" for each row when (new.tenant_id is distinct from old.tenant_id or new.id is distinct from old.id or new.storage_key is distinct from old.storage_key) execute function daybook_refuse_identity_change('tenant_id', 'id', 'storage_key');`,
    )
    this.addSql(`alter table "stray_file" enable row level security;`)
    this.addSql(`alter table "stray_file" force row level security;`)
    this.addSql(
      `create policy "tenant" on "stray_file" using (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid) with check (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid);`,
    )
    this.addSql(
      `alter table "document_chat" add constraint "document_chat_document_id_foreign" foreign key ("document_id") references "document" ("id") on delete cascade;`,
    )
    this.addSql(
      `alter table "document_chat" add constraint "document_chat_user_id_foreign" foreign key ("user_id") references "app_user" ("id") on delete cascade;`,
    )
    this.addSql(
      `create trigger "touch" before update on "document_chat" for each row when (new.updated_at is not distinct from old.updated_at and (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on')) execute function daybook_touch();`,
    )
    this.addSql(
      `create trigger "guard_identity" before update on "document_chat" for each row when (new.tenant_id is distinct from old.tenant_id or new.id is distinct from old.id or new.document_id is distinct from old.document_id or new.user_id is distinct from old.user_id) execute function daybook_refuse_identity_change('tenant_id', 'id', 'document_id', 'user_id');`,
    )
    this.addSql(
      `create or replace function "document_chat_guard_insert_fn"() returns trigger as $$ begin if exists (select from inserted n where n.document_id is not null and not exists (select from "document" t where t.id = n.document_id and t.tenant_id = n.tenant_id)) then raise exception using errcode = '23503', table = 'document_chat', constraint = 'document_chat_document_id_foreign', message = 'insert or update on table "document_chat" violates foreign key constraint "document_chat_document_id_foreign"', detail = 'Key is not present in table "document".'; end if; if exists (select from inserted n where n.user_id is not null and not exists (select from "app_user" t where t.id = n.user_id)) then raise exception using errcode = '23503', table = 'document_chat', constraint = 'document_chat_user_id_foreign', message = 'insert or update on table "document_chat" violates foreign key constraint "document_chat_user_id_foreign"', detail = 'Key is not present in table "app_user".'; end if; return null; end; $$ language plpgsql set search_path = "public", pg_temp;`,
    )
    this.addSql(
      `create trigger "guard_insert" after insert on "document_chat" referencing new table as inserted for each statement execute function "document_chat_guard_insert_fn"();`,
    )
    this.addSql(
      `create or replace function "document_chat_guard_update_fn"() returns trigger as $$ begin if new.document_id is distinct from old.document_id and new.document_id is not null and not exists (select from "document" t where t.id = new.document_id and t.tenant_id = new.tenant_id) then raise exception using errcode = '23503', table = 'document_chat', constraint = 'document_chat_document_id_foreign', message = 'insert or update on table "document_chat" violates foreign key constraint "document_chat_document_id_foreign"', detail = 'Key is not present in table "document".'; end if; if new.user_id is distinct from old.user_id and new.user_id is not null and not exists (select from "app_user" t where t.id = new.user_id) then raise exception using errcode = '23503', table = 'document_chat', constraint = 'document_chat_user_id_foreign', message = 'insert or update on table "document_chat" violates foreign key constraint "document_chat_user_id_foreign"', detail = 'Key is not present in table "app_user".'; end if; return null; end; $$ language plpgsql set search_path = "public", pg_temp;`,
    )
    this.addSql(
      `create trigger "guard_update" after update on "document_chat" for each row when (new.document_id is distinct from old.document_id or new.user_id is distinct from old.user_id) execute function "document_chat_guard_update_fn"();`,
    )
    this.addSql(
      `create trigger "audit_insert" after insert on "document_chat" referencing new table as new_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('document-chat', 'tenant_id', '', '{}', '1', '{title}', 'user_id');`,
    )
    this.addSql(
      `create trigger "audit_update" after update on "document_chat" referencing old table as old_rows new table as new_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('document-chat', 'tenant_id', '', '{}', '1', '{title}', 'user_id');`,
    )
    this.addSql(
      `create trigger "audit_delete" after delete on "document_chat" referencing old table as old_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('document-chat', 'tenant_id', '', '{}', '1', '{title}', 'user_id');`,
    )
    this.addSql(`alter table "document_chat" enable row level security;`)
    this.addSql(`alter table "document_chat" force row level security;`)
    this.addSql(
      `create policy "tenant" on "document_chat" using (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid) with check (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid);`,
    )
    this.addSql(
      `alter table "chat_message" add constraint "chat_message_chat_id_foreign" foreign key ("chat_id") references "document_chat" ("id") on delete cascade;`,
    )
    this.addSql(
      `alter table "chat_message" add constraint "chat_message_user_id_foreign" foreign key ("user_id") references "app_user" ("id") on delete cascade;`,
    )
    this.addSql(`alter table "chat_message" add constraint "chat_message_counts" check (position > 0 and tokens >= 0);`)
    this.addSql(`alter table "chat_message" add constraint "chat_message_citations" check (jsonb_typeof(citations) = 'array');`)
    this.addSql(
      `alter table "chat_message" add constraint "chat_message_role_check" check ("role" in ('USER', 'ASSISTANT', 'SYSTEM', 'TOOL'));`,
    )
    this.addSql(
      `create trigger "touch" before update on "chat_message" for each row when (new.updated_at is not distinct from old.updated_at and (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on')) execute function daybook_touch();`,
    )
    this.addSql(
      `create trigger "guard_identity" before update on "chat_message" for each row when (new.tenant_id is distinct from old.tenant_id or new.id is distinct from old.id) execute function daybook_refuse_identity_change('tenant_id', 'id');`,
    )
    this.addSql(
      `create or replace function "chat_message_guard_insert_fn"() returns trigger as $$ begin if exists (select from inserted n where n.chat_id is not null and not exists (select from "document_chat" t where t.id = n.chat_id and t.tenant_id = n.tenant_id)) then raise exception using errcode = '23503', table = 'chat_message', constraint = 'chat_message_chat_id_foreign', message = 'insert or update on table "chat_message" violates foreign key constraint "chat_message_chat_id_foreign"', detail = 'Key is not present in table "document_chat".'; end if; if exists (select from inserted n where n.user_id is not null and not exists (select from "app_user" t where t.id = n.user_id)) then raise exception using errcode = '23503', table = 'chat_message', constraint = 'chat_message_user_id_foreign', message = 'insert or update on table "chat_message" violates foreign key constraint "chat_message_user_id_foreign"', detail = 'Key is not present in table "app_user".'; end if; return null; end; $$ language plpgsql set search_path = "public", pg_temp;`,
    )
    this.addSql(
      `create trigger "guard_insert" after insert on "chat_message" referencing new table as inserted for each statement execute function "chat_message_guard_insert_fn"();`,
    )
    this.addSql(
      `create or replace function "chat_message_guard_update_fn"() returns trigger as $$ begin if new.chat_id is distinct from old.chat_id and new.chat_id is not null and not exists (select from "document_chat" t where t.id = new.chat_id and t.tenant_id = new.tenant_id) then raise exception using errcode = '23503', table = 'chat_message', constraint = 'chat_message_chat_id_foreign', message = 'insert or update on table "chat_message" violates foreign key constraint "chat_message_chat_id_foreign"', detail = 'Key is not present in table "document_chat".'; end if; if new.user_id is distinct from old.user_id and new.user_id is not null and not exists (select from "app_user" t where t.id = new.user_id) then raise exception using errcode = '23503', table = 'chat_message', constraint = 'chat_message_user_id_foreign', message = 'insert or update on table "chat_message" violates foreign key constraint "chat_message_user_id_foreign"', detail = 'Key is not present in table "app_user".'; end if; return null; end; $$ language plpgsql set search_path = "public", pg_temp;`,
    )
    this.addSql(
      `create trigger "guard_update" after update on "chat_message" for each row when (new.chat_id is distinct from old.chat_id or new.user_id is distinct from old.user_id) execute function "chat_message_guard_update_fn"();`,
    )
    this.addSql(
      `create trigger "audit_insert" after insert on "chat_message" referencing new table as new_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('chat-message', 'tenant_id', '', '{}', '1', '{content}', 'user_id');`,
    )
    this.addSql(
      `create trigger "audit_update" after update on "chat_message" referencing old table as old_rows new table as new_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('chat-message', 'tenant_id', '', '{}', '1', '{content}', 'user_id');`,
    )
    this.addSql(
      `create trigger "audit_delete" after delete on "chat_message" referencing old table as old_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('chat-message', 'tenant_id', '', '{}', '1', '{content}', 'user_id');`,
    )
    this.addSql(`alter table "chat_message" enable row level security;`)
    this.addSql(`alter table "chat_message" force row level security;`)
    this.addSql(
      `create policy "tenant" on "chat_message" using (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid) with check (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid);`,
    )
    // Contract: the cosine of the angle between two vectors of one length.
    this
      .addSql(`create function daybook_cosine(a real[], b real[]) returns float8 language sql immutable strict parallel safe cost 4000 as $$
      select sum(x::float8 * y) / sqrt(sum(x::float8 * x) * sum(y::float8 * y)) from unnest(a, b) as t(x, y) $$;`)
    // Contract: from now on pgvector computes the cosine, which is the same and many times as fast, if it is installed or may be; whether it
    // does. Most owners may not install it, so whoever administers the server can, at any time, and the owner calls this again.
    this.addSql(`create function daybook_use_pgvector() returns boolean language plpgsql set search_path = public, pg_temp as $$
      declare home text;
      begin
        if exists (select from pg_available_extensions where name = 'vector' and installed_version is null) then
          begin
            create extension vector schema public;
          exception when others then raise notice 'daybook compares vectors without pgvector: %', sqlerrm;
          end;
        end if;
        select n.nspname into home from pg_extension e join pg_namespace n on n.oid = e.extnamespace where e.extname = 'vector';
        if home is null then return false; end if;
        execute format('create or replace function daybook_cosine(a real[], b real[]) returns float8 language sql immutable strict
          parallel safe as %L', format('select 1 - (a::%1$I.vector operator(%1$I.<=>) b::%1$I.vector)', home));
        return true;
      end $$;`)
    this.addSql(`revoke all on function daybook_use_pgvector() from public;`)
    this.addSql(`select daybook_use_pgvector();`)
    // Contract: the scope's own chunks of a model, of one document if it is given, the nearest to a vector first. Like every search it runs as a
    // role that policies don't bind, so that an index could serve it, and compares the tenant itself.
    this.addSql(`create function daybook_search_embeddings(query real[], of_model text, most int, of_document uuid default null)
      returns table (id uuid, similarity float8) language sql stable security definer set search_path = public, pg_temp as $$
        select e.id, daybook_cosine(e.embedding, query) from document_embedding e
        where e.tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid and e.model = of_model
          and (of_document is null or e.document_id = of_document) and cardinality(e.embedding) = cardinality(query)
        order by 2 desc, 1 limit most $$;`)
    // Contract: the scope's own documents in which these words stand, the best first, each with a piece of its text in which they do. Under row
    // level security an index serves only operators that are leakproof, and `@@` is not, so this too compares the tenant itself.
    this.addSql(`create function daybook_search_documents(words text, most int)
      returns table (id uuid, rank real, snippet text) language sql stable security definer set search_path = public, pg_temp as $$
        select best.id, best.rank, ts_headline('simple', left(coalesce(nullif(d.ocr_text, ''), d.title), 500000), best.query,
            'StartSel="", StopSel="", MinWords=15, MaxWords=40')
        from (select f.id, ts_rank(f.search_vector, query) as rank, query from document f, websearch_to_tsquery('simple', words) as query
            where f.tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid and f.search_vector @@ query
            order by 2 desc, 1 limit most) best
          join document d on d.id = best.id
        order by 2 desc, 1 $$;`)
    for (const search of ['daybook_search_embeddings(real[], text, int, uuid)', 'daybook_search_documents(text, int)']) {
      this.addSql(`alter function ${search} owner to daybook_directory;`)
      this.addSql(`revoke all on function ${search} from public;`)
      this.addSql(`grant execute on function ${search} to daybook_app, daybook_operator;`)
    }
    this.addSql(`grant select on document, document_embedding to daybook_directory;`)
  }

  override down(): void {
    this.addSql(`drop function daybook_search_embeddings(real[], text, int, uuid);`)
    this.addSql(`drop function daybook_search_documents(text, int);`)
    this.addSql(`drop function daybook_use_pgvector();`)
    this.addSql(`drop function daybook_cosine(real[], real[]);`)
    this.addSql(`drop table "chat_message";`)
    this.addSql(`drop table "document_chat";`)
    this.addSql(`drop table "stray_file";`)
    this.addSql(`drop table "document_embedding";`)
    this.addSql(`drop table "document";`)
    this.addSql(`drop function "document_strays_file_fn";`)
    this.addSql(`drop function "document_embedding_dimension_fn";`)
    this.addSql(`drop function "document_embedding_guard_insert_fn";`)
    this.addSql(`drop function "document_embedding_guard_update_fn";`)
    this.addSql(`drop function "document_chat_guard_insert_fn";`)
    this.addSql(`drop function "document_chat_guard_update_fn";`)
    this.addSql(`drop function "chat_message_guard_insert_fn";`)
    this.addSql(`drop function "chat_message_guard_update_fn";`)
    this.addSql(`drop function daybook_words_in(text);`)
  }
}
