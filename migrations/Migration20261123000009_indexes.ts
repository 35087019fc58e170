import { Migration } from '@mikro-orm/migrations'

/**
 * Guards compare the tenant outside of their look-ups, because planners without statistics read a whole tenant for each row that was
 * inserted. Functions are replaced in place, and nothing is locked.
 */
export class Migration20261123000009_indexes extends Migration {
  override up(): void {
    this.addSql(
      rewritten(
        String.raw`not exists \(select from ("\w+") t where t\.id = (n|new)\.(\w+) and t\.tenant_id = \2\.tenant_id\)`,
        String.raw`(select t.tenant_id from \1 t where t.id = \2.\3) is distinct from \2.tenant_id`,
      ),
    )
  }

  override down(): void {
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
