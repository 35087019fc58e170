import { Migration } from '@mikro-orm/migrations'

/** What decides whether a program is let in, planned once for each connection: every request asks it. */
export class Migration20261123000016_admission extends Migration {
  override up(): void {
    // As the caller, whom the policies bind.
    this.addSql(`create function daybook_admit_key(tenant uuid, digest text) returns json language plpgsql stable as $$
      declare found json;
      begin
        select json_build_object(
            'organization', json_build_object(
              'id', o.id, 'name', o.name, 'status', o.status, 'dataRegion', o.data_region, 'defaultLocale', o.default_locale),
            'key', json_build_object('id', k.id, 'scopes', k.scopes, 'revokedAt', k.revoked_at, 'expiresAt', k.expires_at))
          into found
          from api_key k join organization o on o.id = k.tenant_id
          where k.tenant_id = tenant and k.key_hash = digest and o.deleted_at is null;
        return found;
      end $$;`)
    this.addSql(`revoke execute on function daybook_admit_key(uuid, text) from public;`)
    this.addSql(`grant execute on function daybook_admit_key(uuid, text) to daybook_app, daybook_operator;`)
  }

  override down(): void {
    this.addSql(`drop function daybook_admit_key(uuid, text);`)
  }
}
