import { Migration } from '@mikro-orm/migrations'

/** Entries that an organization publishes, and their search. A new table only, so nothing is locked. */
export class Migration20261123000007_content extends Migration {
  override up(): void {
    // Contract: by which language's rules words of a locale are cut. Immutable, because a stored column is made with it.
    this.addSql(`create function daybook_words_of(locale text) returns regconfig language sql immutable parallel safe as $$
      select case split_part(locale, '-', 1)
        when 'de' then 'pg_catalog.german'::regconfig when 'en' then 'pg_catalog.english'::regconfig
        when 'es' then 'pg_catalog.spanish'::regconfig when 'fr' then 'pg_catalog.french'::regconfig
        when 'it' then 'pg_catalog.italian'::regconfig when 'nl' then 'pg_catalog.dutch'::regconfig
        when 'pt' then 'pg_catalog.portuguese'::regconfig else 'pg_catalog.simple'::regconfig end $$;`)
    this.addSql(
      `create table "content_entry" ("id" uuid not null, "created_at" timestamptz(3) not null default now(), "updated_at" timestamptz(3) not null default now(), "tenant_id" uuid not null, "type" text not null, "slug" text not null, "locale" text not null, "title" text not null, "body" text not null default '', "status" text not null default 'DRAFT', "author_id" uuid null, "published_at" timestamptz(3) null, "version" int not null default 1, "search_vector" tsvector generated always as (setweight(to_tsvector(daybook_words_of(locale), title), 'A') || setweight(to_tsvector(daybook_words_of(locale), body), 'B')) stored null, primary key ("id"));`,
    )
    this.addSql(
      `create index "content_entry_tenant_id_type_status_published_at_index" on "content_entry" ("tenant_id", "type", "status", "published_at");`,
    )
    this.addSql(`create index "content_entry_search" on "content_entry" using gin ("search_vector");`)
    this.addSql(`create index "content_entry_author_id_index" on "content_entry" ("author_id");`)
    this.addSql(
      `alter table "content_entry" add constraint "content_entry_tenant_id_type_slug_locale_unique" unique ("tenant_id", "type", "slug", "locale");`,
    )
    this.addSql(
      `alter table "content_entry" add constraint "content_entry_author_id_foreign" foreign key ("author_id") references "app_user" ("id") on delete set null;`,
    )
    this.addSql(`alter table "content_entry" add constraint "content_entry_slug_shape" check (slug ~ '^[a-z0-9](-?[a-z0-9])*$');`)
    this.addSql(
      `alter table "content_entry" add constraint "content_entry_locale_shape" check (locale ~ '^[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?$');`,
    )
    this.addSql(
      `alter table "content_entry" add constraint "content_entry_published" check (status <> 'PUBLISHED' or (published_at is not null and title ~ '[^[:space:]]' and body ~ '[^[:space:]]'));`,
    )
    this.addSql(`alter table "content_entry" add constraint "content_entry_draft" check (status <> 'DRAFT' or published_at is null);`)
    this.addSql(
      `alter table "content_entry" add constraint "content_entry_status_check" check ("status" in ('DRAFT', 'PUBLISHED', 'ARCHIVED'));`,
    )
    this.addSql(
      `create or replace function "content_entry_address_stays_fn"() returns trigger as $$ begin raise exception using errcode = '23514', table = 'content_entry', constraint = 'content_entry_address_stays', message = 'the address of a published entry stays: unpublish it first'; end; $$ language plpgsql set search_path = "public", pg_temp;`,
    )
    this.addSql(
      `create trigger "address_stays" before update on "content_entry" for each row when (old.status = 'PUBLISHED' and (new.type, new.slug, new.locale) is distinct from (old.type, old.slug, old.locale)) execute function "content_entry_address_stays_fn"();`,
    )
    this.addSql(
      `create trigger "touch" before update on "content_entry" for each row when (new.updated_at is not distinct from old.updated_at and (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on')) execute function daybook_touch();`,
    )
    this.addSql(
      `create trigger "guard_identity" before update on "content_entry" for each row when (new.tenant_id is distinct from old.tenant_id or new.id is distinct from old.id) execute function daybook_refuse_identity_change('tenant_id', 'id');`,
    )
    this.addSql(
      `create or replace function "content_entry_guard_insert_fn"() returns trigger as $$ begin if exists (select from inserted n where n.author_id is not null and not exists (select from "app_user" t where t.id = n.author_id)) then raise exception using errcode = '23503', table = 'content_entry', constraint = 'content_entry_author_id_foreign', message = 'insert or update on table "content_entry" violates foreign key constraint "content_entry_author_id_foreign"', detail = 'Key is not present in table "app_user".'; end if; return null; end; $$ language plpgsql set search_path = "public", pg_temp;`,
    )
    this.addSql(
      `create trigger "guard_insert" after insert on "content_entry" referencing new table as inserted for each statement execute function "content_entry_guard_insert_fn"();`,
    )
    this.addSql(
      `create or replace function "content_entry_guard_update_fn"() returns trigger as $$ begin if new.author_id is distinct from old.author_id and new.author_id is not null and not exists (select from "app_user" t where t.id = new.author_id) then raise exception using errcode = '23503', table = 'content_entry', constraint = 'content_entry_author_id_foreign', message = 'insert or update on table "content_entry" violates foreign key constraint "content_entry_author_id_foreign"', detail = 'Key is not present in table "app_user".'; end if; return null; end; $$ language plpgsql set search_path = "public", pg_temp;`,
    )
    this.addSql(
      `create trigger "guard_update" after update on "content_entry" for each row when (new.author_id is distinct from old.author_id) execute function "content_entry_guard_update_fn"();`,
    )
    this.addSql(
      `create trigger "audit_insert" after insert on "content_entry" referencing new table as new_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('content-entry', 'tenant_id', 'version', '{search_vector}');`,
    )
    this.addSql(
      `create trigger "audit_update" after update on "content_entry" referencing old table as old_rows new table as new_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('content-entry', 'tenant_id', 'version', '{search_vector}');`,
    )
    this.addSql(
      `create trigger "audit_delete" after delete on "content_entry" referencing old table as old_rows for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('content-entry', 'tenant_id', 'version', '{search_vector}');`,
    )
    this.addSql(`alter table "content_entry" enable row level security;`)
    this.addSql(`alter table "content_entry" force row level security;`)
    this.addSql(
      `create policy "tenant" on "content_entry" using (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid) with check (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid);`,
    )
    // Contract: the ids of the scope's own entries of a language that readers see at a moment and whose words these are, the best first. Under
    // row level security an index serves only operators that are leakproof, and `@@` is not, so this runs as a role that policies don't bind
    // and compares the tenant itself.
    this.addSql(`create function daybook_search_content(words text, language text, seen_at timestamptz, most int)
      returns table (id uuid, rank real) language sql stable security definer set search_path = public, pg_temp as $$
        select e.id, ts_rank(e.search_vector, query) from content_entry e, websearch_to_tsquery(daybook_words_of(language), words) as query
        where e.tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid and e.search_vector @@ query
          and e.status = 'PUBLISHED' and e.published_at <= seen_at and split_part(e.locale, '-', 1) = language
        order by 2 desc, 1 limit most $$;`)
    const search = 'function daybook_search_content(text, text, timestamptz, int)'
    this.addSql(`alter ${search} owner to daybook_directory;`)
    this.addSql(`revoke all on ${search} from public;`)
    this.addSql(`grant execute on ${search} to daybook_app, daybook_operator;`)
    this.addSql(`grant select on content_entry to daybook_directory;`)
  }

  override down(): void {
    this.addSql(`drop function daybook_search_content(text, text, timestamptz, int);`)
    this.addSql(`drop table "content_entry";`)
    this.addSql(`drop function "content_entry_address_stays_fn";`)
    this.addSql(`drop function "content_entry_guard_insert_fn";`)
    this.addSql(`drop function "content_entry_guard_update_fn";`)
    this.addSql(`drop function daybook_words_of(text);`)
  }
}
