import { Migration } from '@mikro-orm/migrations'

/** The sentinels of the tables that exist. Each `create trigger` locks its table's writers for a moment. */
export class Migration20261121000002_audited_entities extends Migration {
  override up(): void {
    for (const [table, ...values] of audited) {
      const list = values.map(value => `'${value}'`).join(', ')
      for (const [event, rows] of Object.entries(transitionTables)) {
        this.addSql(
          `create trigger "audit_${event}" after ${event} on "${table}" referencing ${rows} for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows(${list});`,
        )
      }
    }
  }

  override down(): void {
    for (const [table] of audited) {
      for (const event of Object.keys(transitionTables)) this.addSql(`drop trigger "audit_${event}" on "${table}";`)
    }
  }
}

/**
 * Table, its name in the log, the column of whose log it is, the column of the version, columns that are never told; and where a row tells of
 * a person the version of the events' shape, the columns that do, and the one that says of whom.
 */
const audited = [
  ['organization', 'organization', 'id', 'version', '{}'],
  ['app_user', 'user', 'id', '', '{}', '1', '{email,name,first_name,last_name,image}', 'id'],
  ['user_profile', 'user-profile', 'user_id', 'version', '{}', '1', '{display_name,avatar_key,phone,bio,preferences}', 'user_id'],
  ['role', 'role', 'tenant_id', 'version', '{}'],
  ['role_permission', 'role-permission', 'tenant_id', '', '{}'],
  ['membership', 'membership', 'tenant_id', 'version', '{}'],
  ['invitation', 'invitation', 'tenant_id', '', '{token_hash}', '1', '{email}', 'id'],
  ['user_role', 'user-role', 'tenant_id', '', '{}'],
  ['user_permission', 'user-permission', 'tenant_id', '', '{}'],
  ['api_key', 'api-key', 'tenant_id', '', '{key_hash}'],
] as const

const transitionTables = {
  insert: 'new table as new_rows',
  update: 'old table as old_rows new table as new_rows',
  delete: 'old table as old_rows',
}
