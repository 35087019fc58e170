import { Migration } from '@mikro-orm/migrations'

/** A campaign that runs keeps its sequence, whoever writes. The trigger is made under a lock that writers wait for a moment. */
export class Migration20261123000033_running extends Migration {
  override up(): void {
    this.addSql(
      `create or replace function "campaign_sequence_stays_fn"() returns trigger as $$ begin raise exception using errcode = '23514', table = 'campaign', constraint = 'campaign_sequence_stays', message = 'whoever is enrolled would go on in the middle of another sequence: pause the campaign first'; end; $$ language plpgsql set search_path = "public", pg_temp;`,
    )
    this.addSql(
      `create trigger "sequence_stays" before update on "campaign" for each row when (old.status = 'RUNNING' and new.status = 'RUNNING' and new.sequence_id <> old.sequence_id) execute function "campaign_sequence_stays_fn"();`,
    )
  }

  override down(): void {
    this.addSql(`drop trigger "sequence_stays" on "campaign";`)
    this.addSql(`drop function "campaign_sequence_stays_fn";`)
  }
}
