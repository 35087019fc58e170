import { Migration } from '@mikro-orm/migrations'

/** Whether a program's key and its organization are what they were is a question about two rows' versions, which is asked for less. */
export class Migration20261123000020_row_versions extends Migration {
  override up(): void {
    this.addSql(admitKey(`, 'versions', json_build_array(k.xmin::text, o.xmin::text)`))
    this.addSql(`drop function daybook_require_admission(uuid, text, text);`)
    // Contract: raises DB004 unless both rows still are the ones that were seen: whatever writes one, by whatever route, gives it another xmin.
    // Numbers of transactions come again after a failover that lost some, so what closes a door is asked besides. As the caller, whom the
    // policies bind.
    this.addSql(`create function daybook_require_admission(tenant uuid, key uuid, key_version xid, organization_version xid) returns void
      language plpgsql stable as $$
      begin
        if (select k.xmin from api_key k where k.tenant_id = tenant and k.id = key and k.revoked_at is null) is distinct from key_version
            or (select o.xmin from organization o where o.id = tenant and o.status = 'ACTIVE' and o.deleted_at is null) is distinct from organization_version then
          raise exception using errcode = 'DB004', message = 'the key or its organization has changed';
        end if;
      end $$;`)
    this.addSql(`revoke execute on function daybook_require_admission(uuid, uuid, xid, xid) from public;`)
    this.addSql(`grant execute on function daybook_require_admission(uuid, uuid, xid, xid) to daybook_app, daybook_operator;`)
  }

  override down(): void {
    this.addSql(`drop function daybook_require_admission(uuid, uuid, xid, xid);`)
    this.addSql(admitKey(''))
    this.addSql(`create function daybook_require_admission(tenant uuid, digest text, known text) returns void language plpgsql stable as $$
      begin
        if encode(sha256(convert_to(daybook_admit_key(tenant, digest)::text, 'UTF8')), 'hex') is distinct from known then
          raise exception using errcode = 'DB004', message = 'the key, its scopes or its organization have changed';
        end if;
      end $$;`)
    this.addSql(`revoke execute on function daybook_require_admission(uuid, text, text) from public;`)
    this.addSql(`grant execute on function daybook_require_admission(uuid, text, text) to daybook_app, daybook_operator;`)
  }
}

/** As the caller, whom the policies bind. */
function admitKey(versions: string): string {
  return `create or replace function daybook_admit_key(tenant uuid, digest text) returns json language plpgsql stable as $$
      declare found json;
      begin
        select json_build_object(
            'organization', json_build_object(
              'id', o.id, 'name', o.name, 'status', o.status, 'dataRegion', o.data_region, 'defaultLocale', o.default_locale),
            'key', json_build_object('id', k.id, 'scopes', k.scopes, 'revokedAt', k.revoked_at, 'expiresAt', k.expires_at)${versions})
          into found
          from api_key k join organization o on o.id = k.tenant_id
          where k.tenant_id = tenant and k.key_hash = digest and o.deleted_at is null;
        return found;
      end $$;`
}
