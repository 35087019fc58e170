import type { EntityMetadata, MetadataStorage } from '@mikro-orm/core'
import { type AuditEvent, auditedTableOf, keyringOf, type Marked, Opener } from '../audit/index.ts'
import { oncePer } from '../kernel/once-per.ts'
import { type ScopedEntityManager, tablesOf } from '../orm/index.ts'

type Values = Record<string, unknown>

/** The same events, with what they tell of people readable. */
export async function openEvents<E extends AuditEvent>(em: ScopedEntityManager, events: readonly E[]): Promise<readonly E[]> {
  const names = personalNames(em.getMetadata())
  const telling = events.filter(({ entity }) => entity && names.has(entity))
  if (telling.length === 0) return events
  const opener = openerFor(em)
  const sides = telling.flatMap(({ tenantId, entity, before, after }) =>
    [before, after].flatMap(side => (side ? [{ log: tenantId, side, names: names.get(entity!)! }] : [])),
  )
  await opener.prepare(sides.flatMap(({ log, side, names: marked }) => marksIn(log, side, marked)))
  for (const { log, side, names: marked } of sides) openSide(log, side, marked, opener)
  return events
}

/** The same events, without the values that tell of people. That these changed is still told. */
export function withoutPersonal<E extends AuditEvent>(em: ScopedEntityManager, events: readonly E[]): readonly E[] {
  const names = personalNames(em.getMetadata())
  for (const event of events) {
    const personal = event.entity ? names.get(event.entity) : undefined
    for (const side of [event.before, event.after]) {
      if (side) for (const name of personal ?? []) delete side[name]
    }
  }
  return events
}

/** One side of an event without them: what may be kept somewhere else, where erasing a person doesn't reach. */
export function impersonal(em: ScopedEntityManager, entity: string | null, side: Values | null): Values | null {
  const names = entity === null ? undefined : personalNames(em.getMetadata()).get(entity)
  return side && names ? Object.fromEntries(Object.entries(side).filter(([name]) => !names.has(name))) : side
}

export function openerFor(em: ScopedEntityManager): Opener {
  return new Opener(keyringOf(em), sql => em.execute(sql))
}

export function marksIn(log: string, side: Values, names: ReadonlySet<string>): Marked[] {
  return [...names].flatMap(name => (typeof side[name] === 'string' ? [{ log, mark: side[name] }] : []))
}

export function openSide(log: string, side: Values, names: ReadonlySet<string>, opener: Opener): void {
  for (const { mark, name } of [...names].map(each => ({ name: each, mark: side[each] }))) {
    if (typeof mark === 'string') side[name] = JSON.parse(opener.open({ log, mark }))
  }
}

/** By entity, the columns that tell of people, under every name that they have had. */
export const personalNames = oncePer((metadata: MetadataStorage): ReadonlyMap<string, ReadonlySet<string>> => {
  const named = tablesOf(metadata).map(meta => [auditedTableOf(meta)?.entity, personalNamesOf(meta)] as const)
  return new Map(named.flatMap(([entity, names]) => (entity && names.size > 0 ? [[entity, names]] : [])))
})

function personalNamesOf(meta: EntityMetadata): ReadonlySet<string> {
  const table = auditedTableOf(meta)
  const names = new Set(table?.personal)
  for (const { renamed = {} } of table?.past.toReversed() ?? []) {
    for (const [was, is] of Object.entries(renamed)) if (names.has(is)) names.add(was)
  }
  return names
}

/** Rows in which a cell that tells of a person begins with `prefix` and the log that it was found in. */
export async function openRows<R>(rows: R[], prefix: string, opener: Opener): Promise<R[]> {
  const cells = rows.flatMap(row =>
    Object.entries(row as Values).flatMap(([name, value]) => {
      const cell = typeof value === 'string' ? cellIn(value, prefix) : undefined
      return cell ? [{ row: row as Values, name, ...cell }] : []
    }),
  )
  await opener.prepare(cells)
  for (const { row, name, isText, ...marked } of cells) {
    const text = opener.open(marked)
    row[name] = isText ? text : JSON.parse(text)
  }
  return rows
}

/** A driver that leaves JSON to its caller gives a document as text, quotes included; and gets it back as text. */
function cellIn(value: string, prefix: string): (Marked & { readonly isText: boolean }) | undefined {
  const isText = value.startsWith(`"${prefix}`)
  if (!isText && !value.startsWith(prefix)) return undefined
  const [log, mark] = (isText ? (JSON.parse(value) as string) : value).slice(prefix.length).split(' ') as [string, string]
  return { log, mark, isText }
}
