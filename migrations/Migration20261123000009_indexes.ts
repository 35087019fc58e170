import { Migration } from '@mikro-orm/migrations'

/**
 * Indexes for what read whole tables, each of which locks its table against writing while it is built; and guards that compare the tenant
 * outside of their look-ups, because planners without statistics read a whole tenant for each row that was inserted.
 */
export class Migration20261123000009_indexes extends Migration {
  override up(): void {
    this.addSql(
      `create index "prospect_tenant_id_deleted_at_index" on "prospect" ("tenant_id", "deleted_at") where deleted_at is not null;`,
    )
    this.addSql(`create index "membership_tenant_id_id_index" on "membership" ("tenant_id", "id");`)
    this.addSql(`create index "invitation_tenant_id_id_index" on "invitation" ("tenant_id", "id");`)
    this.addSql(`create index "workflow_execution_tenant_id_finished_at_index" on "workflow_execution" ("tenant_id", "finished_at");`)
    // Decisions are few among the events, so this one costs an ordinary event nothing. By it a decision finds what settled it.
    this.addSql(`create index audit_event_settled on audit_event (causation_id) where kind = 'decision';`)
    this.addSql(
      rewritten(
        String.raw`not exists \(select from ("\w+") t where t\.id = (n|new)\.(\w+) and t\.tenant_id = \2\.tenant_id\)`,
        String.raw`(select t.tenant_id from \1 t where t.id = \2.\3) is distinct from \2.tenant_id`,
      ),
    )
  }

  override down(): void {
    this.addSql(`drop index audit_event_settled;`)
    this.addSql(`drop index "workflow_execution_tenant_id_finished_at_index";`)
    this.addSql(`drop index "invitation_tenant_id_id_index";`)
    this.addSql(`drop index "membership_tenant_id_id_index";`)
    this.addSql(`drop index "prospect_tenant_id_deleted_at_index";`)
    this.addSql(
      rewritten(
        String.raw`\(select t\.tenant_id from ("\w+") t where t\.id = (n|new)\.(\w+)\) is distinct from \2\.tenant_id`,
        String.raw`not exists (select from \1 t where t.id = \2.\3 and t.tenant_id = \2.tenant_id)`,
      ),
    )
  }
}

/** Replaces text in the guards of every table that there is by now. */
function rewritten(from: string, to: string): string {
  return `do $do$ declare definition text; begin
      for definition in select pg_get_functiondef(p.oid) from pg_proc p join pg_namespace s on s.oid = p.pronamespace
        where s.nspname = current_schema() and p.proname ~ '_guard_(insert|update)_fn$' loop
        execute regexp_replace(definition, '${from}', '${to}', 'g');
      end loop;
    end $do$;`
}
