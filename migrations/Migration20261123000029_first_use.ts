import { Migration } from '@mikro-orm/migrations'

/** The first use of a day is counted under a lock: of those who began it at once one was refused, because the row was there by its id. */
export class Migration20261123000029_first_use extends Migration {
  override up(): void {
    this.addSql(
      `create or replace function "usage_event_counts_days_fn"() returns trigger as $$ begin perform pg_advisory_xact_lock(place) from ( select distinct hashtextextended(concat_ws(' ', 'usage_day', tenant_id, metric, extract(epoch from date_trunc('day', occurred_at, 'UTC'))), 0) as place from added order by 1) as days; insert into usage_day as d (id, tenant_id, day, metric, quantity, events, created_at, updated_at) select (lpad(to_hex((extract(epoch from day) * 1000)::bigint), 12, '0') || '7' || substr(md5(tenant_id || metric), 1, 3) || '8' || substr(md5(tenant_id || metric), 4, 15))::uuid, tenant_id, day, metric, sum(quantity), count(*), min(created_at), max(updated_at) from (select *, date_trunc('day', occurred_at, 'UTC') as day from added) as a group by tenant_id, day, metric order by tenant_id, day, metric on conflict (tenant_id, day, metric) do update set quantity = d.quantity + excluded.quantity, events = d.events + excluded.events, updated_at = greatest(d.updated_at, excluded.updated_at); return null; end; $$ language plpgsql set search_path = "public", pg_temp;`,
    )
  }

  override down(): void {
    this.addSql(
      `create or replace function "usage_event_counts_days_fn"() returns trigger as $$ begin insert into usage_day as d (id, tenant_id, day, metric, quantity, events, created_at, updated_at) select (lpad(to_hex((extract(epoch from day) * 1000)::bigint), 12, '0') || '7' || substr(md5(tenant_id || metric), 1, 3) || '8' || substr(md5(tenant_id || metric), 4, 15))::uuid, tenant_id, day, metric, sum(quantity), count(*), min(created_at), max(updated_at) from (select *, date_trunc('day', occurred_at, 'UTC') as day from added) as a group by tenant_id, day, metric order by tenant_id, day, metric on conflict (tenant_id, day, metric) do update set quantity = d.quantity + excluded.quantity, events = d.events + excluded.events, updated_at = greatest(d.updated_at, excluded.updated_at); return null; end; $$ language plpgsql set search_path = "public", pg_temp;`,
    )
  }
}
