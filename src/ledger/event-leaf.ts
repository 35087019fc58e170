import { leafHash } from './merkle.ts'

/**
 * What is hashed of an event: every column as it is stored, in the order in which the table has them. Values of people stand there sealed, so
 * erasing a person's key changes no leaf. Version 1:
 *
 *   daybook-event/1
 *   seq 2:42            the name, how many bytes, the bytes as PostgreSQL writes the value as text
 *   reason -            null
 *
 * each line ended by one line feed. `recorded_at` is in microseconds since 1970. Whoever changes this makes a version 2 and keeps this one.
 */
const header = 'daybook-event/1\n'

export const leafColumns = [
  'xact',
  'seq',
  'recorded_at',
  'id',
  'tenant_id',
  'entity_id',
  'decision_id',
  'entity_version',
  'schema_version',
  'kind',
  'type',
  'entity',
  'source',
  'actor_type',
  'actor_id',
  'request_id',
  'correlation_id',
  'causation_id',
  'reason',
  'changed',
  'before',
  'after',
] as const

/** An event's columns as text. */
export type StoredEvent = Readonly<Record<(typeof leafColumns)[number], string | null>>

/** How PostgreSQL is asked for them, whatever the session's settings. */
export const storedColumns: string = leafColumns
  .map(column =>
    column === 'recorded_at' ? `trim_scale(extract(epoch from recorded_at) * 1000000)::text as recorded_at` : `${column}::text`,
  )
  .join(', ')

/** The leaf of an event, to the byte. It asks nobody: anyone can make it from an export. */
export function eventLeaf(event: StoredEvent): Buffer {
  let leaf = header
  for (const column of leafColumns) {
    const value = event[column]
    leaf += value === null ? `${column} -\n` : `${column} ${Buffer.byteLength(value)}:${value}\n`
  }
  return Buffer.from(leaf)
}

export function eventHash(event: StoredEvent): Buffer {
  return leafHash(eventLeaf(event))
}
