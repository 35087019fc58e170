import { Migration } from '@mikro-orm/migrations'

/** What was used on each day, counted by the database from here on; of what was used before it is summed up once, while nobody uses anything. */
export class Migration20261123000024_usage_days extends Migration {
  override up(): void {
    this.addSql(
      `create table "usage_day" ("id" uuid not null, "created_at" timestamptz(3) not null default now(), "updated_at" timestamptz(3) not null default now(), "tenant_id" uuid not null, "day" timestamptz(3) not null, "metric" text not null, "quantity" bigint not null default '0', "events" bigint not null default '0', primary key ("id"));`,
    )
    this.addSql(`alter table "usage_day" add constraint "usage_day_tenant_id_day_metric_unique" unique ("tenant_id", "day", "metric");`)

    this.addSql(`alter table "usage_day" add constraint "usage_day_begins" check (day = date_trunc('day', day, 'UTC'));`)
    this.addSql(`alter table "usage_day" add constraint "usage_day_counts" check (events >= 0 and quantity >= events);`)
    this.addSql(
      `alter table "usage_day" add constraint "usage_day_metric_check" check ("metric" in ('API_CALLS', 'ANALYSES', 'FIXES', 'AUDITS', 'TOKENS'));`,
    )
    this.addSql(
      `create trigger "touch" before update on "usage_day" for each row when (new.updated_at is not distinct from old.updated_at and (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on')) execute function daybook_touch();`,
    )
    this.addSql(
      `create trigger "guard_identity" before update on "usage_day" for each row when (new.tenant_id is distinct from old.tenant_id or new.id is distinct from old.id) execute function daybook_refuse_identity_change('tenant_id', 'id');`,
    )
    this.addSql(`alter table "usage_day" enable row level security;`)
    this.addSql(`alter table "usage_day" force row level security;`)
    this.addSql(
      `create policy "tenant" on "usage_day" using (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid) with check (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid);`,
    )

    // The owner, whom the policies bind, sees no usage until they don't.
    this.addSql(
      `create or replace function "usage_event_counts_days_fn"() returns trigger as $$ begin insert into usage_day as d (id, tenant_id, day, metric, quantity, events, created_at, updated_at) select (lpad(to_hex((extract(epoch from day) * 1000)::bigint), 12, '0') || '7' || substr(md5(tenant_id || metric), 1, 3) || '8' || substr(md5(tenant_id || metric), 4, 15))::uuid, tenant_id, day, metric, sum(quantity), count(*), min(created_at), max(updated_at) from (select *, date_trunc('day', occurred_at, 'UTC') as day from added) as a group by tenant_id, day, metric order by tenant_id, day, metric on conflict (tenant_id, day, metric) do update set quantity = d.quantity + excluded.quantity, events = d.events + excluded.events, updated_at = greatest(d.updated_at, excluded.updated_at); return null; end; $$ language plpgsql set search_path = "public", pg_temp;`,
    )
    this.addSql(
      `create trigger "counts_days" after insert on "usage_event" referencing new table as added for each statement execute function "usage_event_counts_days_fn"();`,
    )
    this.addSql(`alter table "usage_event" no force row level security;`)
    this.addSql(`alter table "usage_day" no force row level security;`)
    this.addSql(`insert into usage_day (id, tenant_id, day, metric, quantity, events, created_at, updated_at)
      select (lpad(to_hex((extract(epoch from day) * 1000)::bigint), 12, '0') || '7' || substr(md5(tenant_id || metric), 1, 3)
            || '8' || substr(md5(tenant_id || metric), 4, 15))::uuid,
          tenant_id, day, metric, sum(quantity), count(*), min(created_at), max(updated_at)
        from (select *, date_trunc('day', occurred_at, 'UTC') as day from usage_event) as e
        group by tenant_id, day, metric;`)
    this.addSql(`alter table "usage_day" force row level security;`)
    this.addSql(`alter table "usage_event" force row level security;`)
  }

  override down(): void {
    this.addSql(`drop trigger "counts_days" on "usage_event";`)
    this.addSql(`drop function "usage_event_counts_days_fn";`)
    this.addSql(`drop table "usage_day";`)
  }
}
