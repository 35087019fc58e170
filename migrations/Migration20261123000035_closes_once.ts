import { Migration } from '@mikro-orm/migrations'

/** What has become of an invitation stays, also where two decide about it at once. The trigger is made under a lock that writers wait for a moment. */
export class Migration20261123000035_closes_once extends Migration {
  override up(): void {
    this.addSql(
      `create or replace function "invitation_closes_once_fn"() returns trigger as $$ begin raise exception using errcode = '23514', table = 'invitation', constraint = 'invitation_closes_once', message = 'what has become of an invitation stays: one that was accepted meanwhile is not withdrawn any more'; end; $$ language plpgsql set search_path = "public", pg_temp;`,
    )
    this.addSql(
      `create trigger "closes_once" before update on "invitation" for each row when (old.status <> 'PENDING' and new.status <> old.status) execute function "invitation_closes_once_fn"();`,
    )
  }

  override down(): void {
    this.addSql(`drop trigger "closes_once" on "invitation";`)
    this.addSql(`drop function "invitation_closes_once_fn";`)
  }
}
