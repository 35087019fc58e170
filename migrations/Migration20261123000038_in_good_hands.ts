import { Migration } from '@mikro-orm/migrations'

/** A key opens something as long as whoever issued it is an active member. Functions are replaced under their names, so nobody waits. */
export class Migration20261123000038_in_good_hands extends Migration {
  override up(): void {
    // Contract: whether a person works in the scope's tenant, with an open account. Each request of a program asks, so it runs as a role that
    // policies don't bind, which takes half of the time, and compares the tenant itself.
    this.addSql(`create function daybook_works_here(person uuid) returns boolean
      language sql stable security definer set search_path = public, pg_temp as $$
        select exists (select from membership m join app_user u on u.id = m.user_id
          where m.tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid and m.user_id = person and m.status = 'ACTIVE'
            and u.status = 'ACTIVE' and u.deleted_at is null) $$;`)
    this.addSql(`alter function daybook_works_here(uuid) owner to daybook_directory;`)
    this.addSql(`revoke all on function daybook_works_here(uuid) from public;`)
    this.addSql(`grant execute on function daybook_works_here(uuid) to daybook_app, daybook_operator;`)
    this.addSql(`grant select (id, status, deleted_at) on app_user to daybook_directory;`)

    this.addSql(admitKey(` and (k.created_by_id is null or daybook_works_here(k.created_by_id))`))
    // What closes a door is asked besides the versions, and whose key it is stands in other rows.
    this
      .addSql(`create or replace function daybook_require_admission(tenant uuid, key uuid, key_version xid, organization_version xid) returns void
      language plpgsql stable as $$
      begin
        perform from api_key k join organization o on o.id = k.tenant_id
          where k.tenant_id = tenant and k.id = key and k.xmin = key_version and k.revoked_at is null
            and o.id = tenant and o.xmin = organization_version and o.status = 'ACTIVE' and o.deleted_at is null
            and (k.created_by_id is null or daybook_works_here(k.created_by_id));
        if not found then
          raise exception using errcode = 'DB004', message = 'the key or its organization has changed';
        end if;
      end $$;`)
  }

  override down(): void {
    this
      .addSql(`create or replace function daybook_require_admission(tenant uuid, key uuid, key_version xid, organization_version xid) returns void
      language plpgsql stable as $$
      begin
        if (select k.xmin from api_key k where k.tenant_id = tenant and k.id = key and k.revoked_at is null) is distinct from key_version
            or (select o.xmin from organization o where o.id = tenant and o.status = 'ACTIVE' and o.deleted_at is null) is distinct from organization_version then
          raise exception using errcode = 'DB004', message = 'the key or its organization has changed';
        end if;
      end $$;`)
    this.addSql(admitKey(''))
    this.addSql(`revoke select (id, status, deleted_at) on app_user from daybook_directory;`)
    this.addSql(`drop function daybook_works_here(uuid);`)
  }
}

/** As the caller, whom the policies bind. */
function admitKey(condition: string): string {
  return `create or replace function daybook_admit_key(tenant uuid, digest text) returns json language plpgsql stable as $$
      declare found json;
      begin
        select json_build_object(
            'organization', json_build_object(
              'id', o.id, 'name', o.name, 'status', o.status, 'dataRegion', o.data_region, 'defaultLocale', o.default_locale),
            'key', json_build_object('id', k.id, 'scopes', k.scopes, 'revokedAt', k.revoked_at, 'expiresAt', k.expires_at), 'versions', json_build_array(k.xmin::text, o.xmin::text))
          into found
          from api_key k join organization o on o.id = k.tenant_id
          where k.tenant_id = tenant and k.key_hash = digest and o.deleted_at is null${condition};
        return found;
      end $$;`
}
