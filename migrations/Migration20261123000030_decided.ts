import { Migration } from '@mikro-orm/migrations'

/**
 * What is decided about somebody is told under their key, and so are the rows that say the same: whose they are stands in a column of its own,
 * which is empty in those that are there. Adding it and making triggers anew locks each table for a moment.
 */
export class Migration20261123000030_decided extends Migration {
  override up(): void {
    for (const { table, entity, personal, fixed } of tables) {
      this.addSql(`alter table "${table}" add column "person_id" uuid null;`)
      this.triggers(table, `'${entity}', 'tenant_id', 'version', '{}', '1', '{${personal}}', 'person_id'`, `${fixed} person_id`)
    }
  }

  override down(): void {
    for (const { table, entity, fixed } of tables) {
      this.triggers(table, `'${entity}', 'tenant_id', 'version', '{}'`, fixed)
      this.addSql(`alter table "${table}" drop column "person_id";`)
    }
  }

  /** What tells of the rows, and what of them never changes. */
  private triggers(table: string, told: string, fixed: string): void {
    for (const [event, rows] of Object.entries(transitionTables)) {
      this.addSql(`drop trigger "audit_${event}" on "${table}";`)
      this.addSql(
        `create trigger "audit_${event}" after ${event} on "${table}" referencing ${rows} for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows(${told});`,
      )
    }
    const names = fixed.split(' ')
    const changed = names.map(column => `new.${column} is distinct from old.${column}`).join(' or ')
    const columns = names.map(column => `'${column}'`).join(', ')
    this.addSql(`drop trigger "guard_identity" on "${table}";`)
    this.addSql(
      `create trigger "guard_identity" before update on "${table}" for each row when (${changed}) execute function daybook_refuse_identity_change(${columns});`,
    )
  }
}

const tables = [
  {
    table: 'approval_item',
    entity: 'approval-item',
    personal: 'reason,payload',
    fixed: 'tenant_id id subject_type subject_id requested_by_type requested_by_id decision_id',
  },
  {
    table: 'agent_decision',
    entity: 'agent-decision',
    personal: 'input,reasoning,actions',
    fixed: 'tenant_id id agent_id type input_source input reasoning actions confidence requires_approval event_id',
  },
] as const

const transitionTables = {
  insert: 'new table as new_rows',
  update: 'old table as old_rows new table as new_rows',
  delete: 'old table as old_rows',
}
