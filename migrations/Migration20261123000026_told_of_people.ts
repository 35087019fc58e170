import { Migration } from '@mikro-orm/migrations'

/**
 * What else tells of people is sealed too where the sentinel sees it, and whose a message is never changes: it goes with its prospect. Messages
 * are read once for that, under a lock; making a trigger anew locks its table for a moment. Events that are there stay as they were told.
 */
export class Migration20261123000026_told_of_people extends Migration {
  override up(): void {
    for (const { table, args, personal } of tables) this.sentinels(table, `${args}, '1', ${personal}`)
    this.ofProspect('cascade', ['tenant_id', 'id', 'prospect_id'])
  }

  override down(): void {
    this.ofProspect('set null', ['tenant_id', 'id'])
    for (const { table, args, before } of tables) this.sentinels(table, before === undefined ? args : `${args}, '1', ${before}`)
  }

  private sentinels(table: string, args: string): void {
    for (const [event, rows] of Object.entries(transitionTables)) {
      this.addSql(`drop trigger "audit_${event}" on "${table}";`)
      this.addSql(
        `create trigger "audit_${event}" after ${event} on "${table}" referencing ${rows} for each statement when (pg_trigger_depth() > 0 or current_setting('daybook.unit_of_work', true) is distinct from 'on') execute function daybook_record_rows(${args});`,
      )
    }
  }

  /** What becomes of a message without its prospect, and what of it never changes. */
  private ofProspect(rule: 'cascade' | 'set null', fixed: readonly string[]): void {
    this.addSql(`alter table "message" drop constraint "message_prospect_id_foreign";`)
    this.addSql(
      `alter table "message" add constraint "message_prospect_id_foreign" foreign key ("prospect_id") references "prospect" ("id") on delete ${rule};`,
    )
    this.addSql(`drop trigger "guard_identity" on "message";`)
    const changed = fixed.map(column => `new.${column} is distinct from old.${column}`).join(' or ')
    const columns = fixed.map(column => `'${column}'`).join(', ')
    this.addSql(
      `create trigger "guard_identity" before update on "message" for each row when (${changed}) execute function daybook_refuse_identity_change(${columns});`,
    )
  }
}

interface Told {
  readonly table: string
  /** The entity, the column of its log, that of its version, and what is never told. */
  readonly args: string
  /** Columns that tell of somebody, and the one that says of whom. */
  readonly personal: string
  /** The same as it was before, where there was something. */
  readonly before?: string
}

const tables: readonly Told[] = [
  { table: 'message', args: `'message', 'tenant_id', '', '{}'`, personal: `'{subject,body}', 'prospect_id'` },
  { table: 'ai_insight', args: `'ai-insight', 'tenant_id', 'version', '{}'`, personal: `'{title,body}', 'subject_id'` },
  { table: 'document', args: `'document', 'tenant_id', 'version', '{search_vector}'`, personal: `'{ocr_text,ocr_meta}', 'id'` },
  {
    table: 'chat_message',
    args: `'chat-message', 'tenant_id', '', '{}'`,
    personal: `'{content,citations}', 'user_id'`,
    before: `'{content}', 'user_id'`,
  },
  { table: 'workflow_execution', args: `'workflow-execution', 'tenant_id', '', '{}'`, personal: `'{input,output}', 'id'` },
]

const transitionTables = {
  insert: 'new table as new_rows',
  update: 'old table as old_rows new table as new_rows',
  delete: 'old table as old_rows',
}
