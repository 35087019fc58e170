import type { EntityMetadata, MetadataStorage } from '@mikro-orm/core'
import { type AuditEvent, auditedTableOf, decisionWords, keyringOf, type Marked, Opener } from '../audit/index.ts'
import { oncePer } from '../kernel/once-per.ts'
import { type ScopedEntityManager, tablesOf } from '../orm/index.ts'

type Values = Record<string, unknown>

/** The same events, with what they tell of people readable. */
export async function openEvents<E extends AuditEvent>(em: ScopedEntityManager, events: readonly E[]): Promise<readonly E[]> {
  const columns = personalNames(em.getMetadata())
  const telling = events.filter(event => personalIn(event, columns))
  if (telling.length === 0) return events
  const sides = telling.flatMap(event => {
    const names = personalIn(event, columns)!
    return [event.before, event.after].flatMap(side => (side ? [{ log: event.tenantId, side, names }] : []))
  })
  const opener = openerFor(em)
  await opener.prepare(sides.flatMap(({ log, side, names: marked }) => marksIn(log, side, marked)))
  for (const { log, side, names: marked } of sides) openSide(log, side, marked, opener)
  return events
}

/** The same events, without the values that tell of people. That these changed is still told. */
export function withoutPersonal<E extends AuditEvent>(em: ScopedEntityManager, events: readonly E[]): readonly E[] {
  const columns = personalNames(em.getMetadata())
  for (const event of events) {
    const names = personalIn(event, columns)
    for (const side of [event.before, event.after]) {
      if (side) for (const name of names ?? []) delete side[name]
    }
  }
  return events
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

type Telling = Pick<AuditEvent, 'kind' | 'after'> & { readonly entity?: string | null | undefined }

/** What of an event tells of somebody: columns of its row; or what is said of a decision, where that says of whom. */
export function personalIn({ kind, entity, after }: Telling, columns: PersonalColumns): ReadonlySet<string> | undefined {
  if (kind === 'decision') return typeof after?.person === 'string' ? wordsOfDecision : undefined
  return entity ? columns.get(entity) : undefined
}

type PersonalColumns = ReadonlyMap<string, ReadonlySet<string>>

const wordsOfDecision: ReadonlySet<string> = new Set(decisionWords)

/** By entity, the columns that tell of people, under every name that they have had. */
export const personalNames = oncePer((metadata: MetadataStorage): PersonalColumns => {
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
  const found = (isText ? (JSON.parse(value) as string) : value).slice(prefix.length)
  // What was told before its column was declared personal stands there in words.
  const end = found.indexOf(' ')
  return { log: found.slice(0, end), mark: found.slice(end + 1), isText }
}
