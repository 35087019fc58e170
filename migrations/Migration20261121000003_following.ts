import { Migration } from '@mikro-orm/migrations'

/** Following the log: how far it can be read, where each follower stands, and activity per day. New objects only, so nothing is locked. */
export class Migration20261121000003_following extends Migration {
  override up(): void {
    // Contract: the highest number that was handed out by now, and a transaction id that is younger than every transaction which took one
    // up to it: a writer has its id before its number, and the number is read here before the id is taken. Once all older transactions
    // have ended, nothing can appear at or below that number any more.
    this.addSql(`create function daybook_mark(out seq bigint, out xact xid8) language plpgsql volatile security definer
      set search_path = public, pg_temp as $$
      begin
        select case when s.is_called then s.last_value else 0 end into seq from audit_event_seq s;
        xact := pg_current_xact_id();
      end $$;`)
    // Contract: the last number up to which all that follow it are there, looking at most 10,000 ahead. It sees every tenant's
    // events and tells nothing of them but how many numbers are taken.
    this.addSql(`create function daybook_unbroken(reached bigint) returns bigint language sql stable security definer
      set search_path = public, pg_temp as $$
        select coalesce(max(seq), reached) from (
          select e.seq, row_number() over (order by e.seq) as place from audit_event e where e.seq > reached and e.seq <= reached + 10000) as next
        where seq = reached + place $$;`)
    this.addSql(`grant select on audit_event_seq to daybook_directory;`)
    for (const routine of ['daybook_mark()', 'daybook_unbroken(bigint)']) {
      this.addSql(`alter function ${routine} owner to daybook_directory;`)
      this.addSql(`revoke all on function ${routine} from public;`)
      this.addSql(`grant execute on function ${routine} to daybook_app, daybook_operator;`)
    }

    // One row for each follower of a tenant's log; an operator's follows all logs and has no tenant.
    this.addSql(`create table audit_subscription (
      name text not null,
      tenant_id uuid,
      reached bigint not null default 0,
      failures int not null default 0,
      last_error text,
      updated_at timestamptz(3) not null default now(),
      constraint audit_subscription_one_each unique nulls not distinct (tenant_id, name)
    );`)
    const own = `tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid`
    this.addSql(`alter table audit_subscription enable row level security;`)
    this.addSql(`alter table audit_subscription force row level security;`)
    this.addSql(`create policy tenant on audit_subscription using (${own}) with check (${own});`)
    this.addSql(`grant select, insert, update, delete on audit_subscription to daybook_app, daybook_operator;`)

    this.addSql(`create table activity_per_day (
      tenant_id uuid not null,
      day date not null,
      actor_type text not null,
      actor_id text not null,
      type text not null,
      events bigint not null,
      primary key (tenant_id, day, actor_type, actor_id, type)
    );`)
    this.addSql(`alter table activity_per_day enable row level security;`)
    this.addSql(`alter table activity_per_day force row level security;`)
    this.addSql(`create policy tenant on activity_per_day using (${own}) with check (${own});`)
    this.addSql(`grant select, insert, update, delete on activity_per_day to daybook_app, daybook_operator;`)
  }

  override down(): void {
    this.addSql(`drop table activity_per_day;`)
    this.addSql(`drop table audit_subscription;`)
    this.addSql(`drop function daybook_unbroken(bigint);`)
    this.addSql(`drop function daybook_mark();`)
    this.addSql(`revoke select on audit_event_seq from daybook_directory;`)
  }
}
