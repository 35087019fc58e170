import { Migration } from '@mikro-orm/migrations'

/** The proof over the log: its tiles and its checkpoints. New objects only, so nothing is locked. */
export class Migration20261123000011_ledger extends Migration {
  override up(): void {
    this.addSql(
      `create table "audit_checkpoint" ("id" uuid not null, "created_at" timestamptz(3) not null default now(), "updated_at" timestamptz(3) not null default now(), "tenant_id" uuid not null, "from_seq" bigint not null, "to_seq" bigint not null, "tree_size" bigint not null, "root_hash" text not null, "origin" text not null, "signature" text not null, "anchored_at" timestamptz(3) null, "anchor_target" text null, primary key ("id"));`,
    )
    this.addSql(
      `create unique index "audit_checkpoint_one_of_a_size" on "audit_checkpoint" ("tenant_id", "tree_size") where anchor_target is null;`,
    )
    this.addSql(
      `alter table "audit_checkpoint" add constraint "audit_checkpoint_one_anchoring" unique ("tenant_id", "tree_size", "anchor_target");`,
    )
    this.addSql(`alter table "audit_checkpoint" add constraint "audit_checkpoint_order" check (tree_size > 0 and from_seq <= to_seq);`)
    this.addSql(
      `alter table "audit_checkpoint" add constraint "audit_checkpoint_anchored" check ((anchored_at is null) = (anchor_target is null));`,
    )
    this.addSql(
      `create or replace function "audit_checkpoint_append_only_fn"() returns trigger as $$ begin raise exception using errcode = 'DB003', table = tg_table_name, message = format('%s of table "%s" is refused: checkpoints are only ever added', tg_op, tg_table_name); end; $$ language plpgsql set search_path = "public", pg_temp;`,
    )
    this.addSql(
      `create trigger "append_only" before update or delete on "audit_checkpoint" for each row execute function "audit_checkpoint_append_only_fn"();`,
    )
    this.addSql(
      `create trigger "touch" before update on "audit_checkpoint" for each row when (new.updated_at is not distinct from old.updated_at and (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on')) execute function daybook_touch();`,
    )
    this.addSql(
      `create trigger "guard_identity" before update on "audit_checkpoint" for each row when (new.tenant_id is distinct from old.tenant_id or new.id is distinct from old.id) execute function daybook_refuse_identity_change('tenant_id', 'id');`,
    )
    this.addSql(`alter table "audit_checkpoint" enable row level security;`)
    this.addSql(`alter table "audit_checkpoint" force row level security;`)
    this.addSql(
      `create policy "tenant" on "audit_checkpoint" using (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid) with check (tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid);`,
    )
    this.addSql(`alter table "audit_checkpoint" enable always trigger append_only;`)
    this.addSql(
      `create trigger append_only_truncate before truncate on audit_checkpoint for each statement execute function daybook_refuse_rewriting();`,
    )
    this.addSql(`alter table audit_checkpoint enable always trigger append_only_truncate;`)

    // The tree, in tiles of 256 hashes. Each row holds the hashes that one sealing added to one tile, so nothing is ever written over. Hashes
    // can't be compressed, so it isn't tried.
    this.addSql(`create table ledger_tile (
      tenant_id uuid not null,
      level smallint not null,
      position bigint not null,
      from_seq bigint,
      to_seq bigint,
      hashes bytea not null,
      primary key (tenant_id, level, position),
      constraint ledger_tile_place check (level >= 0 and position >= 0),
      constraint ledger_tile_within_one check (
        length(hashes) > 0 and length(hashes) % 32 = 0 and position / 256 = (position + length(hashes) / 32 - 1) / 256),
      constraint ledger_tile_events check ((level = 0) = (from_seq is not null) and (from_seq is null) = (to_seq is null) and from_seq <= to_seq)
    );`)
    this.addSql(`alter table ledger_tile alter column hashes set storage external;`)
    this.addSql(`create unique index ledger_tile_by_event on ledger_tile (tenant_id, to_seq) where level = 0;`)
    const own = `tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid`
    this.addSql(`alter table ledger_tile enable row level security;`)
    this.addSql(`alter table ledger_tile force row level security;`)
    this.addSql(`create policy tenant on ledger_tile using (${own}) with check (${own});`)
    this.addSql(`grant select, insert on ledger_tile to daybook_app, daybook_operator;`)
    this.addSql(
      `create trigger append_only before update or delete on ledger_tile for each row execute function daybook_refuse_rewriting();`,
    )
    this.addSql(`alter table ledger_tile enable always trigger append_only;`)
    this.addSql(
      `create trigger append_only_truncate before truncate on ledger_tile for each statement execute function daybook_refuse_rewriting();`,
    )
    this.addSql(`alter table ledger_tile enable always trigger append_only_truncate;`)
  }

  override down(): void {
    this.addSql(`drop table ledger_tile;`)
    this.addSql(`drop table "audit_checkpoint";`)
    this.addSql(`drop function "audit_checkpoint_append_only_fn";`)
  }
}
