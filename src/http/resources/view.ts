import { Reference } from '@mikro-orm/core'
import { digest } from '../../kernel/secret.ts'
import type { TenantRow } from '../../orm/index.ts'
import type { Field } from './fields.ts'
import type { Described } from './resource.ts'

export type View = Record<string, unknown>

/** What leaves the house of a row: these fields and nothing else. */
export function viewOf(row: TenantRow, fields: readonly Field[]): View {
  const values = row as unknown as Record<string, unknown>
  const view: View = {}
  for (const { name, kind, relation } of fields) view[name] = relation ? idIn(values[name]) : shown(values[name], kind)
  return view
}

/** A value of an entity as JSON has it. */
export function shown(value: unknown, kind: Field['kind']): unknown {
  if (value === undefined || value === null) return null
  if (value instanceof Date) return value.toISOString()
  return kind === 'integer' || kind === 'number' ? Number(value) : value
}

function idIn(value: unknown): unknown {
  if (value === undefined || value === null) return null
  const unwrapped: unknown = Reference.unwrapReference(value)
  return typeof unwrapped === 'object' && unwrapped !== null && 'id' in unwrapped ? unwrapped.id : unwrapped
}

/** Changes with each change: the version of a row that has one, otherwise the moment. */
export function etagOf(row: TenantRow | View, { meta }: Described): string {
  const values = row as View
  const version = meta.versionProperty && values[meta.versionProperty]
  return `"${typeof version === 'number' ? version : new Date(values.updatedAt as string | Date).getTime().toString(36)}"`
}

/** Where what is shown can change and the row doesn't, the tag tells both: the row's own, and behind a dot what was shown. */
export function etagShowing(view: View, ofRow: string): string {
  return `${ofRow.slice(0, -1)}.${digest(JSON.stringify(view)).slice(0, 16)}"`
}

/** Whether a tag tells of this state of the row, whatever was shown of it and beside it. */
export function isTagOf(tag: string, ofRow: string): boolean {
  return tag === ofRow || tag.startsWith(`${ofRow.slice(0, -1)}.`)
}
