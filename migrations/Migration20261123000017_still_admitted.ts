import { Migration } from '@mikro-orm/migrations'

/** Whoever was let in not long ago does their work at once, and the first thing that their transaction asks is whether they still are. */
export class Migration20261123000017_still_admitted extends Migration {
  override up(): void {
    // Contract: raises DB004 unless what decides about a key is what it was, to the letter; `known` is the SHA-256 of that in hex. As the
    // caller, whom the policies bind.
    this.addSql(`create function daybook_require_admission(tenant uuid, digest text, known text) returns void language plpgsql stable as $$
      begin
        if encode(sha256(convert_to(daybook_admit_key(tenant, digest)::text, 'UTF8')), 'hex') is distinct from known then
          raise exception using errcode = 'DB004', message = 'the key, its scopes or its organization have changed';
        end if;
      end $$;`)
    this.addSql(`revoke execute on function daybook_require_admission(uuid, text, text) from public;`)
    this.addSql(`grant execute on function daybook_require_admission(uuid, text, text) to daybook_app, daybook_operator;`)
  }

  override down(): void {
    this.addSql(`drop function daybook_require_admission(uuid, text, text);`)
  }
}
