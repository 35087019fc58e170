import { Migration } from '@mikro-orm/migrations'

/** The functions that every table shares, and the one that shows a person their organizations. Locks nothing. */
export class Migration20261120000001_foundation extends Migration {
  override up(): void {
    // Contract: a `before update` row trigger; sets updated_at when anything else changed. Its trigger's WHEN spares writers that set it
    // themselves. Compared as text, because not every type has an equality.
    this.addSql(`create function daybook_touch() returns trigger language plpgsql as $$
      begin
        if new::text is distinct from old::text then new.updated_at := now(); end if;
        return new;
      end $$;`)

    // Contract: a `before update` row trigger whose WHEN has seen that one of its arguments, which are columns, would change; always
    // raises DB002.
    this.addSql(`create function daybook_refuse_identity_change() returns trigger language plpgsql as $$
      begin
        raise exception using errcode = 'DB002', table = tg_table_name,
          message = format('%s of table "%s" never change', array_to_string(tg_argv[0:], ', '), tg_table_name);
      end $$;`)

    // Contract: the tenants in which the scope's person is an active member; nothing outside an identity scope. It runs as a role that
    // policies don't bind, so it takes no argument: whom it answers about is the scope's business alone. In plpgsql, because the table
    // comes later.
    this.addSql(`create function daybook_tenants_of_user() returns setof uuid
      language plpgsql stable security definer set search_path = public, pg_temp as $$
      begin
        if current_setting('daybook.scope', true) is distinct from 'identity' then return; end if;
        return query select m.tenant_id from membership m
          where m.user_id = nullif(current_setting('daybook.user_id', true), '')::uuid and m.status = 'ACTIVE';
      end $$;`)
    this.addSql(`alter function daybook_tenants_of_user() owner to daybook_directory;`)
    this.addSql(`revoke all on function daybook_tenants_of_user() from public;`)
    this.addSql(`grant execute on function daybook_tenants_of_user() to daybook_app, daybook_operator, daybook_owner;`)
  }

  override down(): void {
    this.addSql(`drop function daybook_tenants_of_user();`)
    this.addSql(`drop function daybook_refuse_identity_change();`)
    this.addSql(`drop function daybook_touch();`)
  }
}
