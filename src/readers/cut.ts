import { isId } from '../kernel/id.ts'
import type { RunSql } from '../orm/index.ts'
import { EventUnknownError, MomentInvalidError, NothingThenError } from './readers.errors.ts'

/** A moment: an instant, right after the transaction of an event, or right before it. */
export type When = Date | string | { readonly id: string } | { readonly before: { readonly id: string } }

/**
 * Where the log is cut so that what lies before it is what somebody would have seen then: all events up to a position, except those of
 * transactions that had not ended by it. A transaction that straddles the position wrote more afterwards, so at that moment nobody had seen
 * any of it; and whatever an event was caused by was written before it. So every cut holds whole transactions, and with each effect its
 * cause.
 */
export interface Cut {
  readonly seq: string
  readonly open: readonly string[]
  /** Since when the open ones may have written. What has their numbers from before was another's, on the server that this one was restored from. */
  readonly openSince?: string
  /** Positions that are left out besides. */
  readonly without?: readonly number[]
}

/**
 * Right before an event, with what its own transaction did until then. For one row alone, whose writers wait for each other: of others it may
 * hold half of what a transaction wrote.
 */
export function rightBefore({ seq }: { readonly seq: number }): Cut {
  return { seq: String(seq - 1), open: [] }
}

/** How long a transaction may take at most; one that writes for longer is seen in part. */
const longestTransaction = `interval '1 hour'`

export async function cutAt(when: When, run: RunSql): Promise<Cut> {
  const end = await lastOf(when, run)
  // Those that wrote after it and had begun by then, which their numbers tell. Whoever had begun and written nothing may be among them.
  const near = `recorded_at between ${end.at} - ${longestTransaction} and ${end.at} + ${longestTransaction}`
  const open = await run(
    `select distinct xact::text from audit_event where seq > ${end.seq} and ${near}
       and xact <= (select max(xact) from audit_event where seq <= ${end.seq} and ${near})`,
  )
  return { seq: end.seq, open: open.map(({ xact }) => xact as string), openSince: `${end.at} - ${longestTransaction}` }
}

/** The condition on `audit_event e` that the cut stands for. */
export function withinCut({ seq, open, openSince = `'-infinity'::timestamptz`, without = [] }: Cut): string {
  const conditions = [`e.seq <= ${seq}`]
  if (open.length > 0) conditions.push(`(e.xact <> all ('{${open.join(',')}}'::xid8[]) or e.recorded_at < ${openSince})`)
  if (without.length > 0) conditions.push(`e.seq <> all ('{${without.join(',')}}'::bigint[])`)
  return conditions.join(' and ')
}

async function lastOf(when: When, run: RunSql): Promise<{ seq: string; at: string }> {
  if (typeof when === 'object' && 'id' in when) return edgeOf(when.id, 'max(l.seq)', run)
  if (typeof when === 'object' && 'before' in when) return edgeOf(when.before.id, 'min(l.seq) - 1', run)
  const instant = typeof when === 'string' ? new Date(when) : when
  if (Number.isNaN(instant.getTime())) throw new MomentInvalidError(String(when))
  // A date is as long as its millisecond; who asks for now, right after a write, means to see it.
  const at = `('${instant.toISOString()}'::timestamptz + interval '0.999 milliseconds')`
  // Positions and instants rise together but for transactions side by side, so the last hour holds the highest position.
  // Named by its table: the column that is selected has the same name, and is text, of which '99' is the highest.
  const highest = (since: string) =>
    `select seq::text, recorded_at::text as at from audit_event e where recorded_at <= ${at}${since} order by e.seq desc limit 1`
  const [row] = [...(await run(highest(` and recorded_at > ${at} - interval '1 hour'`))), ...(await run(highest('')))]
  if (!row) throw new NothingThenError(instant.toISOString())
  return literalsOf(row)
}

/** The first or last position of an event's transaction. Asked in two steps: a window around a constant is found by a few pages. */
async function edgeOf(id: string, edge: string, run: RunSql): Promise<{ seq: string; at: string }> {
  const [event] = await run(`select xact::text, recorded_at::text as at from audit_event where id = ${uuidLiteral(id)}`)
  if (!event) throw new EventUnknownError(id)
  const at = `'${event.at as string}'::timestamptz`
  const [row] = await run(
    `select (${edge})::text as seq, max(l.recorded_at)::text as at from audit_event l
       where l.xact = '${event.xact as string}' and l.recorded_at between ${at} - ${longestTransaction} and ${at} + ${longestTransaction}`,
  )
  return literalsOf(row!)
}

const literalsOf = (row: Record<string, unknown>) => ({ seq: row.seq as string, at: `'${row.at as string}'::timestamptz` })

function uuidLiteral(id: string): string {
  if (!isId(id)) throw new EventUnknownError(id)
  return `'${id}'`
}
