import { Migration } from '@mikro-orm/migrations'

/**
 * What tables tell of people who are no users is sealed too where the sentinel sees it, and whose a profile is never changes. Making a
 * trigger anew locks its table for a moment. Events that are there stay as they were told.
 */
export class Migration20261123000021_personal extends Migration {
  override up(): void {
    for (const { personal, ...table } of tables) this.sentinels(table, personal)
    this.addSql(
      `create trigger "guard_identity" before update on "user_profile" for each row when (new.id is distinct from old.id or new.user_id is distinct from old.user_id) execute function daybook_refuse_identity_change('id', 'user_id');`,
    )
  }

  override down(): void {
    this.addSql(`drop trigger "guard_identity" on "user_profile";`)
    for (const { personal: _none, ...table } of tables) this.sentinels(table)
  }

  private sentinels({ table, entity, untold }: Omit<Told, 'personal'>, personal?: string): void {
    const told = personal === undefined ? '' : `, '1', '{${personal}}', 'id'`
    for (const [event, rows] of Object.entries(transitionTables)) {
      this.addSql(`drop trigger "audit_${event}" on "${table}";`)
      this.addSql(
        `create trigger "audit_${event}" after ${event} on "${table}" referencing ${rows} for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows('${entity}', 'tenant_id', 'version', '{${untold}}'${told});`,
      )
    }
  }
}

interface Told {
  readonly table: string
  readonly entity: string
  /** Columns that are never told. */
  readonly untold: string
  /** Columns that tell of whom the row is about. */
  readonly personal: string
}

const tables: readonly Told[] = [
  { table: 'prospect', entity: 'prospect', untold: 'search_vector', personal: 'email,first_name,last_name,data' },
  {
    table: 'newsletter_subscriber',
    entity: 'newsletter-subscriber',
    untold: 'confirmation_hash,unsubscribe_token,unsubscribe_hash',
    personal: 'email',
  },
  { table: 'audit_booking', entity: 'audit-booking', untold: '', personal: 'contact_email,contact_name,notes' },
  { table: 'scheduling_event', entity: 'scheduling-event', untold: '', personal: 'attendees' },
  { table: 'scheduling_agent_task', entity: 'scheduling-agent-task', untold: '', personal: 'request' },
]

const transitionTables = {
  insert: 'new table as new_rows',
  update: 'old table as old_rows new table as new_rows',
  delete: 'old table as old_rows',
}
