import { Migration } from '@mikro-orm/migrations'

/** Whose a profile is never changes. `create trigger` locks its table's writers for a moment. */
export class Migration20261123000021_personal extends Migration {
  override up(): void {
    this.addSql(
      `create trigger "guard_identity" before update on "user_profile" for each row when (new.id is distinct from old.id or new.user_id is distinct from old.user_id) execute function daybook_refuse_identity_change('id', 'user_id');`,
    )
  }

  override down(): void {
    this.addSql(`drop trigger "guard_identity" on "user_profile";`)
  }
}
