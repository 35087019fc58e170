import { Migration } from '@mikro-orm/migrations'

/**
 * Where a person asks, other people's chats and messages aren't there. Both tables are locked against reading and writing until it is done,
 * and all messages are read once, for their places are unique anew.
 */
export class Migration20261123000019_private_chats extends Migration {
  override up(): void {
    for (const table of ['document_chat', 'chat_message']) {
      this.addSql(`create policy "private" on "${table}" as restrictive using (${own}) with check (${own});`)
    }
    this.addSql(
      `create policy "of_its_chat" on "chat_message" as restrictive for insert with check (user_id = coalesce((select c.user_id from document_chat c where c.id = chat_message.chat_id), user_id));`,
    )
    this.addSql(`drop trigger "guard_identity" on "chat_message";`)
    this.addSql(identityGuard(['tenant_id', 'id', 'user_id']))
    this.addSql(placesOf('chat_id', 'position', 'user_id'))
    this.addSql(`alter table "chat_message" drop constraint "chat_message_tenant_id_chat_id_position_unique";`)
  }

  override down(): void {
    this.addSql(placesOf('chat_id', 'position'))
    this.addSql(`alter table "chat_message" drop constraint "chat_message_tenant_id_chat_id_position_user_id_unique";`)
    this.addSql(`drop trigger "guard_identity" on "chat_message";`)
    this.addSql(identityGuard(['tenant_id', 'id']))
    this.addSql(`drop policy "of_its_chat" on "chat_message";`)
    for (const table of ['chat_message', 'document_chat']) this.addSql(`drop policy "private" on "${table}";`)
  }
}

function placesOf(...columns: readonly string[]): string {
  const all = ['tenant_id', ...columns]
  return `alter table "chat_message" add constraint "chat_message_${all.join('_')}_unique" unique (${all.map(column => `"${column}"`).join(', ')});`
}

const person = `nullif(current_setting('daybook.user_id', true), '')::uuid`
const own = `(${person} is null or user_id = ${person})`

function identityGuard(columns: readonly string[]): string {
  const changed = columns.map(column => `new.${column} is distinct from old.${column}`).join(' or ')
  const names = columns.map(column => `'${column}'`).join(', ')
  return `create trigger "guard_identity" before update on "chat_message" for each row when (${changed}) execute function daybook_refuse_identity_change(${names});`
}
