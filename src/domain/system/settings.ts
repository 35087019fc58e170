import { type Static, type TSchema, Type } from 'typebox'
import { Value } from 'typebox/value'
import { schemaProblems } from '../../kernel/schema-problems.ts'
import type { ScopedEntityManager } from '../../orm/index.ts'
import { User } from '../identity/index.ts'
import { SettingInvalidError } from './system.errors.ts'
import { SystemSetting } from './system-setting.entity.ts'

/** Something that can be set: its name, what may stand there, and what stands there until somebody sets it. */
export interface Setting<Schema extends TSchema = TSchema> {
  readonly key: string
  readonly schema: Schema
  readonly initial: Static<Schema>
}

export function defineSetting<Schema extends TSchema>(key: string, schema: Schema, initial: Static<Schema>): Setting<Schema> {
  return { key, schema, initial }
}

/** How many days something that was deleted can be restored, before retention removes it. */
export const keepDeletedDays = defineSetting('retention.deleted-days', Type.Integer({ minimum: 1, maximum: 3_650 }), 30)

/** How many days deliveries that arrived, and automations' runs that are over, are kept. */
export const keepFinishedDays = defineSetting('retention.finished-days', Type.Integer({ minimum: 1, maximum: 3_650 }), 90)

/** How many days messages are kept that a broker has. */
export const keepSentDays = defineSetting('retention.sent-days', Type.Integer({ minimum: 1, maximum: 3_650 }), 7)

export async function settingOf<Schema extends TSchema>(em: ScopedEntityManager, setting: Setting<Schema>): Promise<Static<Schema>> {
  const row = await em.findOne(SystemSetting, { key: setting.key })
  // What was valid when it was written needn't be any more.
  return row && Value.Check(setting.schema, row.value) ? row.value : setting.initial
}

export async function putSetting<Schema extends TSchema>(
  em: ScopedEntityManager,
  { key, schema }: Setting<Schema>,
  value: Static<Schema>,
): Promise<void> {
  if (!Value.Check(schema, value)) throw new SettingInvalidError(key, schemaProblems(schema, value))
  const { actor } = em.boundScope!
  const updatedBy = actor.type === 'user' ? em.getReference(User, actor.id, { wrapped: true }) : null
  const row = await em.findOne(SystemSetting, { key })
  if (row) Object.assign(row, { value, updatedBy })
  else em.create(SystemSetting, { key, value, updatedBy })
}

/** Back to what stands there of itself. */
export async function clearSetting(em: ScopedEntityManager, { key }: Setting): Promise<void> {
  const row = await em.findOne(SystemSetting, { key })
  if (row) em.remove(row)
}
