import { Migration } from '@mikro-orm/migrations'

/**
 * The log: its table, partitioned by month, the functions that fill it and keep it as it was written, and two views. The entities'
 * triggers come in the next migration. New objects only, so nothing is locked.
 */
export class Migration20261121000001_audit extends Migration {
  override up(): void {
    // Contract: a UUIDv7 on every supported version of PostgreSQL. Where it has its own, ours is only another name, and ten times as fast.
    this.addSql(`do $do$ begin
      if to_regprocedure('pg_catalog.uuidv7()') is not null then
        create function daybook_uuidv7() returns uuid language sql volatile parallel safe as 'select pg_catalog.uuidv7()';
      else
        create function daybook_uuidv7() returns uuid language sql volatile parallel safe as $$
          select encode(set_bit(set_bit(overlay(uuid_send(gen_random_uuid())
            placing substring(int8send((extract(epoch from clock_timestamp()) * 1000)::bigint) from 3) from 1 for 6), 52, 1), 53, 1), 'hex')::uuid $$;
      end if;
    end $do$;`)

    // Contract: a row as the log tells it, whatever the session's time zone.
    this.addSql(`create function daybook_told(anyelement) returns jsonb language sql stable set timezone = 'UTC' as 'select to_jsonb($1)';`)

    // One number after the other, for readers follow it: a cache would hand out numbers in blocks.
    this.addSql(`create sequence audit_event_seq as bigint cache 1;`)
    this.addSql(`grant usage on sequence audit_event_seq to daybook_app, daybook_operator, daybook_directory;`)
    // The transaction gets its id before its first number (defaults are taken in the order of columns), which followers rely on.
    // Who acts and why comes from the scope's variables, so every writer is attributed; one without a scope is the database itself.
    this.addSql(`create table audit_event (
      xact xid8 not null default pg_current_xact_id(),
      seq bigint not null default nextval('audit_event_seq'),
      recorded_at timestamptz not null default clock_timestamp(),
      id uuid not null default daybook_uuidv7(),
      tenant_id uuid not null,
      entity_id uuid,
      decision_id uuid default nullif(current_setting('daybook.decision_id', true), '')::uuid,
      entity_version int,
      schema_version smallint not null default 1,
      kind text not null default 'activity' check (kind in ('activity', 'decision')),
      type text not null,
      entity text,
      source text not null default 'database' check (source in ('unit-of-work', 'database')),
      actor_type text not null default coalesce(nullif(current_setting('daybook.actor_type', true), ''), 'database'),
      actor_id text not null default coalesce(nullif(current_setting('daybook.actor_id', true), ''), session_user),
      request_id text default nullif(current_setting('daybook.request_id', true), ''),
      correlation_id text default nullif(current_setting('daybook.correlation_id', true), ''),
      causation_id text default nullif(current_setting('daybook.causation_id', true), ''),
      reason text default nullif(current_setting('daybook.reason', true), ''),
      changed text[],
      before json,
      after json
    ) partition by range (recorded_at);`)
    this.addSql(`create index audit_event_history on audit_event (tenant_id, entity_id, seq);`)
    this.addSql(`create index audit_event_feed on audit_event (tenant_id, seq);`)
    this.addSql(`create index audit_event_actor on audit_event (tenant_id, actor_id, seq);`)
    this.addSql(`create index audit_event_correlation on audit_event (tenant_id, correlation_id, seq) where correlation_id is not null;`)
    this.addSql(`create index audit_event_decision on audit_event (tenant_id, decision_id, seq) where decision_id is not null;`)
    this.addSql(`create index audit_event_id on audit_event (id);`)
    // Rows lie in this order, so a follower's window is found by a few pages.
    this.addSql(`create index audit_event_order on audit_event using brin (seq, recorded_at) with (pages_per_range = 16);`)

    // A log belongs to a tenant, or to a person: what they did before any tenant was chosen.
    const own = `tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid or tenant_id = nullif(current_setting('daybook.user_id', true), '')::uuid`
    this.addSql(`alter table audit_event enable row level security;`)
    this.addSql(`alter table audit_event force row level security;`)
    this.addSql(`create policy own_log on audit_event using (${own}) with check (${own});`)
    this.addSql(`grant select, insert on audit_event to daybook_app, daybook_operator, daybook_directory;`)

    // With the rights of whoever asks, so the log's policy holds for them too.
    for (const [view, kind] of [
      ['activity_log', 'activity'],
      ['decision_log', 'decision'],
    ]) {
      this.addSql(`create view ${view} with (security_invoker = true) as select * from audit_event where kind = '${kind}';`)
      this.addSql(`grant select on ${view} to daybook_app, daybook_operator;`)
    }

    // Contract: a trigger that lets nobody change what is written, owner and superuser included; always raises DB003.
    this.addSql(`create function daybook_refuse_rewriting() returns trigger language plpgsql as $$
      begin
        raise exception using errcode = 'DB003', table = tg_table_name, message = format('%s of table "%s" is refused: events are only ever added', tg_op, tg_table_name);
      end $$;`)
    this.addSql(
      `create trigger append_only before update or delete on audit_event for each row execute function daybook_refuse_rewriting();`,
    )
    this.addSql(`alter table audit_event enable always trigger append_only;`)
    this.addSql(
      `create trigger append_only_truncate before truncate on audit_event for each statement execute function daybook_refuse_rewriting();`,
    )
    this.addSql(`alter table audit_event enable always trigger append_only_truncate;`)

    // Contract: a trigger on an audited table; TRUNCATE has no rows to tell about, so it is refused. Always raises DB003.
    this.addSql(`create function daybook_refuse_truncate() returns trigger language plpgsql as $$
      begin
        raise exception using errcode = 'DB003', table = tg_table_name, message = format('TRUNCATE of table "%s" is refused: the log could not tell what was lost', tg_table_name);
      end $$;`)

    // Contract: makes the partitions from this month on that are missing, with their own guard against TRUNCATE, and says how many it made.
    // A month whose events went into the default partition already stays there.
    this.addSql(`create function daybook_prepare_audit_partitions(months int default 3) returns int
      language plpgsql security definer set search_path = public, pg_temp as $$
      declare
        first timestamptz := date_trunc('month', now() at time zone 'UTC') at time zone 'UTC';
        starts timestamptz; ends timestamptz; name text; made int := 0;
      begin
        perform pg_advisory_xact_lock(hashtext('daybook_prepare_audit_partitions'));
        for ahead in 0..least(months, 120) loop
          starts := ((first at time zone 'UTC') + make_interval(months => ahead)) at time zone 'UTC';
          ends := ((first at time zone 'UTC') + make_interval(months => ahead + 1)) at time zone 'UTC';
          name := 'audit_event_' || to_char(starts at time zone 'UTC', 'YYYY_MM');
          continue when to_regclass(name) is not null;
          begin
            execute format('create table %I partition of audit_event for values from (%L) to (%L)', name, starts, ends);
          exception when check_violation then continue;
          end;
          execute format('create trigger append_only_truncate before truncate on %I for each statement execute function daybook_refuse_rewriting()', name);
          execute format('alter table %I enable always trigger append_only_truncate', name);
          made := made + 1;
        end loop;
        return made;
      end $$;`)
    this.addSql(`revoke all on function daybook_prepare_audit_partitions(int) from public;`)
    this.addSql(`grant execute on function daybook_prepare_audit_partitions(int) to daybook_app, daybook_operator;`)
    this.addSql(`create table audit_event_default partition of audit_event default;`)
    this.addSql(
      `create trigger append_only_truncate before truncate on audit_event_default for each statement execute function daybook_refuse_rewriting();`,
    )
    this.addSql(`alter table audit_event_default enable always trigger append_only_truncate;`)
    this.addSql(`select daybook_prepare_audit_partitions(3);`)

    // Contract: appends what the unit of work tells, as its caller, whom the policies bind. A function because its plan is kept, and because
    // it asks for the scope's variables once where the columns' defaults would for each event; `json`, not `jsonb`, because what an entity was
    // is kept to the letter.
    this.addSql(`create function daybook_append(events json) returns void language plpgsql as $$
      declare
        actor_type constant text := coalesce(nullif(current_setting('daybook.actor_type', true), ''), 'database');
        actor_id constant text := coalesce(nullif(current_setting('daybook.actor_id', true), ''), session_user);
        request_id constant text := nullif(current_setting('daybook.request_id', true), '');
        correlation_id constant text := nullif(current_setting('daybook.correlation_id', true), '');
        causation_id constant text := nullif(current_setting('daybook.causation_id', true), '');
        reason constant text := nullif(current_setting('daybook.reason', true), '');
      begin
        insert into audit_event (tenant_id, kind, type, entity, entity_id, entity_version, schema_version, id, decision_id, changed, before, after,
            source, actor_type, actor_id, request_id, correlation_id, causation_id, reason)
          select t, coalesce(k, 'activity'), y, e, i, v, coalesce(s, 1), coalesce(d, daybook_uuidv7()), c, p, b, a,
            'unit-of-work', actor_type, actor_id, request_id, correlation_id, coalesce(w, causation_id), reason
          from json_to_recordset(events) as r(t uuid, k text, y text, e text, i uuid, v int, s smallint, d uuid, c uuid, w text, p text[], b json, a json);
      end $$;`)

    // What the log tells of a person is sealed with that person's key, and that key with one that the database never sees. A key that is
    // destroyed leaves its row behind, so that nobody makes another; what it sealed stays where it is and is read by nobody.
    this.addSql(`create table audit_person_key (
      tenant_id uuid not null,
      person_id uuid not null,
      sealed_key text,
      created_at timestamptz(3) not null default now(),
      erased_at timestamptz(3),
      primary key (tenant_id, person_id),
      constraint audit_person_key_erased check ((sealed_key is null) = (erased_at is not null))
    );`)
    // Where the sentinel, which has no keys, puts what it would have to seal. A job seals it, erasing a person deletes it.
    this.addSql(`create table audit_personal (
      id uuid primary key,
      tenant_id uuid not null,
      person_id uuid not null,
      value text not null,
      is_sealed boolean not null default false
    );`)
    this.addSql(`create index audit_personal_person on audit_personal (tenant_id, person_id);`)
    this.addSql(`create index audit_personal_unsealed on audit_personal (tenant_id) where not is_sealed;`)
    for (const table of ['audit_person_key', 'audit_personal']) {
      this.addSql(`alter table ${table} enable row level security;`)
      this.addSql(`alter table ${table} force row level security;`)
      this.addSql(`create policy own_log on ${table} using (${own}) with check (${own});`)
    }
    this.addSql(
      `create policy erased_for_good on audit_person_key as restrictive for update using (sealed_key is not null) with check (true);`,
    )
    this.addSql(`grant select, insert, update (sealed_key, erased_at) on audit_person_key to daybook_app, daybook_operator;`)
    this.addSql(`grant select, delete, update (value, is_sealed) on audit_personal to daybook_app, daybook_operator;`)
    this.addSql(`grant select on audit_person_key to daybook_directory;`)
    this.addSql(`grant insert on audit_personal to daybook_directory;`)

    // Contract: takes [{t: log, p: person, k: sealed key}] and gives each person's key, which is the offered one where there was none. As its
    // caller, whom the policies bind.
    this
      .addSql(`create function daybook_person_keys(people json) returns table (log uuid, person uuid, sealed_key text) language plpgsql as $$
      begin
        insert into audit_person_key (tenant_id, person_id, sealed_key)
          select t, p, k from json_to_recordset(people) as r(t uuid, p uuid, k text) on conflict do nothing;
        return query select k.tenant_id, k.person_id, k.sealed_key from json_to_recordset(people) as r(t uuid, p uuid)
          join audit_person_key k on k.tenant_id = r.t and k.person_id = r.p;
      end $$;`)

    // Contract: what a row tells, with marks where it told of a person; the values stand beside the log. Only the sentinel calls it.
    this.addSql(`create function daybook_set_beside(log uuid, person uuid, told jsonb, personal text[]) returns jsonb language plpgsql as $$
      declare
        is_erased constant boolean := exists (
          select from audit_person_key k where k.tenant_id = log and k.person_id = person and k.sealed_key is null);
        name text; place uuid;
      begin
        foreach name in array personal loop
          continue when coalesce(jsonb_typeof(told->name), 'null') = 'null';
          if is_erased then
            told := jsonb_set(told, array[name], '"daybook:erased"');
          else
            place := daybook_uuidv7();
            insert into audit_personal (id, tenant_id, person_id, value) values (place, log, person, (told->name)::text);
            told := jsonb_set(told, array[name], to_jsonb('daybook:personal:' || place));
          end if;
        end loop;
        return told;
      end $$;`)

    // Contract: the sentinel, an "after" statement trigger with transition tables old_rows and new_rows. Arguments: the entity's name, the
    // column whose value says whose log it is, the column of the version or '', the columns whose values are never told, the version of the events' shape unless it is the first, and where a row tells
    // of a person the columns that do, and the one that says of whom. It runs as a role that policies don't bind, because whoever writes without
    // any scope is recorded too.
    this.addSql(`create function daybook_record_rows() returns trigger
      language plpgsql security definer set search_path = public, pg_temp set timezone = 'UTC' as $$
      declare
        entity constant text := tg_argv[0];
        untold constant text[] := tg_argv[3]::text[] || '{id,tenant_id}';
        version constant smallint := coalesce(tg_argv[4], '1');
        personal constant text[] := coalesce(tg_argv[5], '{}');
        person constant text := coalesce(tg_argv[6], 'id');
      begin
        if tg_op = 'INSERT' then
          insert into audit_event (schema_version, tenant_id, type, entity, entity_id, entity_version, after)
            select version, (n->>tg_argv[1])::uuid, entity || '.created', entity, (n->>'id')::uuid, (n->>tg_argv[2])::int, case when personal = '{}' then n - untold
              else daybook_set_beside((n->>tg_argv[1])::uuid, coalesce(n->>person, n->>'id')::uuid, n - untold, personal) end
              from (select to_jsonb(r) as n from new_rows r) as rows;
        elsif tg_op = 'DELETE' then
          insert into audit_event (schema_version, tenant_id, type, entity, entity_id, entity_version, before)
            select version, (o->>tg_argv[1])::uuid, entity || '.deleted', entity, (o->>'id')::uuid, (o->>tg_argv[2])::int, case when personal = '{}' then o - untold
              else daybook_set_beside((o->>tg_argv[1])::uuid, coalesce(o->>person, o->>'id')::uuid, o - untold, personal) end
              from (select to_jsonb(r) as o from old_rows r) as rows;
        else
          insert into audit_event (schema_version, tenant_id, type, entity, entity_id, entity_version, changed, before, after)
            select version, (n->>tg_argv[1])::uuid, entity || '.updated', entity, (n->>'id')::uuid, (n->>tg_argv[2])::int, difference.changed,
              case when personal = '{}' then difference.before
                else daybook_set_beside((n->>tg_argv[1])::uuid, coalesce(n->>person, n->>'id')::uuid, difference.before, personal) end,
              case when personal = '{}' then difference.after
                else daybook_set_beside((n->>tg_argv[1])::uuid, coalesce(n->>person, n->>'id')::uuid, difference.after, personal) end
              from (select to_jsonb(a) as o, to_jsonb(b) as n from old_rows a join new_rows b using (id)) as rows,
                lateral (select array_agg(key order by key),
                    coalesce(jsonb_object_agg(key, o->key) filter (where key <> all (untold)), '{}'),
                    coalesce(jsonb_object_agg(key, value) filter (where key <> all (untold)), '{}')
                  from jsonb_each(n) where value is distinct from o->key) as difference (changed, before, after)
              where difference.changed is not null;
        end if;
        return null;
      end $$;`)

    // Contract: the same for a table between two sides of a many-to-many relation, told as a change of the owning side. Arguments: the
    // owner's name, the relation's, the columns of both sides, and the column that keeps their order or ''.
    this.addSql(`create function daybook_record_links() returns trigger
      language plpgsql security definer set search_path = public, pg_temp as $$
      declare
        entity constant text := tg_argv[0];
        relation constant text := tg_argv[1];
      begin
        if tg_op in ('UPDATE', 'DELETE') then
          insert into audit_event (tenant_id, type, entity, entity_id, changed, before, after)
            select (o->>'tenant_id')::uuid, entity || '.' || relation || '-changed', entity, (o->>tg_argv[2])::uuid, array[relation],
                jsonb_build_object(relation, jsonb_agg(o->tg_argv[3] order by (o->>tg_argv[4])::bigint)), jsonb_build_object(relation, '[]'::jsonb)
              from (select to_jsonb(r) as o from old_rows r) as rows group by 1, 4;
        end if;
        if tg_op in ('INSERT', 'UPDATE') then
          insert into audit_event (tenant_id, type, entity, entity_id, changed, before, after)
            select (n->>'tenant_id')::uuid, entity || '.' || relation || '-changed', entity, (n->>tg_argv[2])::uuid, array[relation],
                jsonb_build_object(relation, '[]'::jsonb), jsonb_build_object(relation, jsonb_agg(n->tg_argv[3] order by (n->>tg_argv[4])::bigint))
              from (select to_jsonb(r) as n from new_rows r) as rows group by 1, 4;
        end if;
        return null;
      end $$;`)
    // Contract: what an event tells, in today's shape: takes the steps that came after its version. Each may rename, remove, and put one
    // value in another's place.
    this.addSql(`create function daybook_upcast(told json, version int, steps jsonb) returns json
      language plpgsql immutable parallel safe as $$
      declare
        now_told jsonb := told::jsonb;
        step jsonb; name text; replaced jsonb;
      begin
        if told is null or version > jsonb_array_length(steps) then return told; end if;
        for place in version - 1 .. jsonb_array_length(steps) - 1 loop
          step := steps->place;
          for name in select jsonb_object_keys(coalesce(step->'renamed', '{}')) loop
            if now_told ? name then
              now_told := (now_told - name) || jsonb_build_object(step->'renamed'->>name, now_told->name);
            end if;
          end loop;
          now_told := now_told - array(select jsonb_array_elements_text(coalesce(step->'removed', '[]')));
          for name in select jsonb_object_keys(coalesce(step->'values', '{}')) loop
            replaced := step->'values'->name->(now_told->>name);
            if replaced is not null then now_told := now_told || jsonb_build_object(name, replaced); end if;
          end loop;
        end loop;
        return now_told;
      end $$;`)

    // Contract: one step of folding a row's events, in the order of seq, into the row as it then was; null when it wasn't there, and unmoved by events that change no row. Relations
    // between many and many stand in it as arrays of ids.
    this.addSql(`create function daybook_fold_step(state jsonb, type text, before json, after json) returns jsonb
      language plpgsql immutable parallel safe as $$
      declare
        relation text;
      begin
        if right(type, 8) = '.updated' then return state || after::jsonb; end if;
        if right(type, 8) = '.created' then return after::jsonb; end if;
        if right(type, 8) = '.deleted' then return null; end if;
        if right(type, 8) <> '-changed' or state is null or after is null then return state; end if;
        relation := json_object_keys(after);
        if json_typeof(after->relation) <> 'array' or before is null then return state; end if;
        return jsonb_set(state, array[relation], (
          select coalesce(jsonb_agg(id order by place), '[]') from (
            select id, place from jsonb_array_elements(coalesce(state->relation, '[]')) with ordinality as kept (id, place)
              where not (before::jsonb->relation) @> id
            union all
            select id, place + 1000000000 from jsonb_array_elements(after::jsonb->relation) with ordinality as added (id, place)) as ids));
      end $$;`)
    this.addSql(`create aggregate daybook_fold(text, json, json) (sfunc = daybook_fold_step, stype = jsonb, parallel = safe);`)
    for (const routine of ['daybook_record_rows', 'daybook_record_links']) {
      this.addSql(`alter function ${routine}() owner to daybook_directory;`)
      this.addSql(`revoke all on function ${routine}() from public;`)
    }
  }

  override down(): void {
    this.addSql(`drop aggregate daybook_fold(text, json, json);`)
    this.addSql(`drop function daybook_fold_step(jsonb, text, json, json);`)
    this.addSql(`drop function daybook_upcast(json, int, jsonb);`)
    this.addSql(`drop function daybook_append(json);`)
    this.addSql(`drop function daybook_record_links();`)
    this.addSql(`drop function daybook_record_rows();`)
    this.addSql(`drop function daybook_set_beside(uuid, uuid, jsonb, text[]);`)
    this.addSql(`drop function daybook_person_keys(json);`)
    this.addSql(`drop table audit_personal;`)
    this.addSql(`drop table audit_person_key;`)
    this.addSql(`drop function daybook_prepare_audit_partitions(int);`)
    this.addSql(`drop view decision_log;`)
    this.addSql(`drop view activity_log;`)
    this.addSql(`drop table audit_event;`)
    this.addSql(`drop sequence audit_event_seq;`)
    this.addSql(`drop function daybook_refuse_truncate() cascade;`)
    this.addSql(`drop function daybook_refuse_rewriting();`)
    this.addSql(`drop function daybook_told(anyelement);`)
    this.addSql(`drop function daybook_uuidv7();`)
  }
}
