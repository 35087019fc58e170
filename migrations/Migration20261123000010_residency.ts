import { Migration } from '@mikro-orm/migrations'

/** An organization's region never changes. */
export class Migration20261123000010_residency extends Migration {
  override up(): void {
    this.addSql(
      `create trigger "guard_identity" before update on "organization" for each row when (new.id is distinct from old.id or new.data_region is distinct from old.data_region) execute function daybook_refuse_identity_change('id', 'data_region');`,
    )
  }

  override down(): void {
    this.addSql(`drop trigger "guard_identity" on "organization";`)
  }
}
