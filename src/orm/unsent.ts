import { CompiledQuery, type Transaction } from 'kysely'
import { flushing } from './flushing.ts'

export interface Statement {
  readonly text: string
  readonly values: readonly unknown[]
}

export interface Ahead {
  readonly statement: Statement
  /** Nothing will come between it and the transaction's COMMIT, and nobody could still object: the two may leave together. */
  readonly isLast: boolean
}

/** What a transaction will write about itself, gathered until it has to leave. */
export interface Outbox {
  /** One statement that says all that is pending, or nothing. */
  take(): Statement | undefined
  /** What can be told of the unit of work before its statements are answered: it leaves behind one of them, so both sides work at once. */
  ahead(): Ahead | undefined
  /** Whether a statement reads what this writes, and so has to come after it. */
  isReadBy(text: string): boolean
  /** How many events have been taken to be written. */
  readonly written: number
  /** What was pending is undone: its savepoint has been rolled back. */
  forget(): void
}

/**
 * What a transaction has yet to say: session variables that are wanted but not set, and an outbox. Both wait on the client's side and
 * leave only in front of a statement for which they matter, so a flush pays no round trip for them:
 *
 *   statement                 in front of it
 *   ---------                 --------------
 *   of the unit of work       the variables; where foreign keys or triggers write other rows for it, the outbox before
 *   a plain read              the variables: it may still write, in a way that its words don't show; the outbox before, where it reads that
 *   anything else             the outbox, then the variables: what comes later in the log happened later
 *   savepoint                 the same, so that rolling back to it takes back only what followed, and wakes the sentinel
 *   rollback to               nothing; the outbox forgets, and the variables are what they were
 *   commit                    the outbox
 *
 * Whoever speaks to the database asks `before` for each statement: the server's client, the embedded connection.
 */
export class Unsent {
  readonly #wanted = new Map<string, string>()
  readonly #sent = new Map<string, string>()
  #unitEnds: (() => void) | undefined
  #unit: object | undefined
  #acts: RegExp | undefined
  #pauses = 0
  outbox: Outbox | undefined
  /** Gives the transaction up, and stops what it is running; where a statement can't be stopped there is none. */
  stop: (() => void) | undefined
  /** Aborts once the connection is lost on which the transaction is, also while it asks nothing. */
  lost: AbortSignal | undefined
  /** What is asked before anything else, in one message with it: if it fails, nothing of the transaction is done. */
  first: Statement | undefined
  /** Who has flushed in it. */
  readonly writers = new Set<object>()
  /** Whether rows may have become what no EntityManager knows: by a statement of somebody's own, or by going back to a savepoint. */
  hasRewritten = false
  /** The EntityManager whose next flush ends the transaction: its COMMIT may leave with it. */
  endsWithFlushOf: object | undefined

  /** A session variable of this transaction, from the next statement on. */
  set(name: string, value: string): void {
    this.#wanted.set(name, value)
  }

  get(name: string): string {
    return this.#wanted.get(name) ?? ''
  }

  /**
   * From here on the statements are a flush's own, until it ends. `acts` knows those for which foreign keys or triggers will write other rows.
   * Of two flushes in one transaction, side by side or one in a hook of the other, only the first is vouched for; the second isn't begun.
   */
  beginUnit(onEnd: () => void, acts?: RegExp): boolean {
    if (this.#unitEnds) return false
    this.#unitEnds = onEnd
    this.#unit = flushing.getStore()
    this.#acts = acts
    this.#vouch()
    return true
  }

  /** The unit of the flush that this is called in. */
  endUnit(): void {
    if (flushing.getStore() !== this.#unit) return
    const ends = this.#unitEnds
    this.#unitEnds = undefined
    this.#vouch()
    ends?.()
  }

  /** For statements in the middle of a flush that no change set describes: hooks of users, collections. */
  async outsideUnit<T>(work: () => Promise<T>): Promise<T> {
    this.#pauses++
    this.#vouch()
    try {
      return await work()
    } finally {
      this.#pauses--
      this.#vouch()
    }
  }

  /** Whether a statement that comes from here is the unit of work's own, so that the outbox will tell about it. What comes from beside the flush isn't. */
  get isVouching(): boolean {
    return this.#unitEnds !== undefined && this.#pauses === 0 && flushing.getStore() === this.#unit
  }

  before(text: string): Statement[] {
    return [...this.#takeFirst(), ...this.#due(text)]
  }

  #due(text: string): Statement[] {
    if (this.#unitEnds) this.#vouch() // for what comes from inside the flush, or from beside it
    if (/^rollback (work |transaction )?to\b/i.test(text)) {
      this.outbox?.forget()
      this.#sent.clear()
      this.hasRewritten = true
      return []
    }
    if (/^release/i.test(text)) return []
    if ((this.isVouching && !this.#acts?.test(text)) || (this.outbox && !this.outbox.isReadBy(text) && isPlainRead(text)))
      return this.#variables()
    const pending = this.outbox?.take()
    const due = [...(pending ? [pending] : []), ...this.#variables()]
    // Written in a way of its own, or among other statements, it takes the variables back to what nobody here can know.
    if (/\brollback\b/i.test(text)) this.#sent.clear()
    this.hasRewritten ||= mayRewrite(text)
    return due
  }

  /** What follows a statement of the unit of work without waiting for its answer. */
  behind(text: string): Ahead | undefined {
    return this.isVouching && /^(insert|update|delete)\b/i.test(text) ? this.outbox?.ahead() : undefined
  }

  atCommit(): Statement[] {
    const pending = this.outbox?.take()
    return [...this.#takeFirst(), ...(pending ? [pending] : [])]
  }

  #takeFirst(): Statement[] {
    const { first } = this
    this.first = undefined
    return first ? [first] : []
  }

  #vouch(): void {
    this.set(unitOfWorkVariable, this.isVouching ? 'on' : 'off')
  }

  #variables(): Statement[] {
    const due = [...this.#wanted].filter(([name, value]) => this.#sent.get(name) !== value)
    if (due.length === 0) return []
    for (const [name, value] of due) this.#sent.set(name, value)
    return due.map(([name, value]) => ({ text: setLocal(name, value), values: [] }))
  }
}

/** Sets a session variable for this transaction; unlike `set_config` it answers with no row. */
export function setLocal(name: string, value: string): string {
  return `set local ${name} = ${literal(value)}`
}

/** A text as SQL says it, whatever the server thinks of backslashes. The space keeps its E from a word before it. */
export function literal(text: string): string {
  const quoted = text.includes("'") ? `'${text.replaceAll("'", "''")}'` : `'${text}'`
  return text.includes('\\') ? ` E${quoted.replaceAll('\\', '\\\\')}` : quoted
}

/** On while every statement is one that the log will tell about anyway; the sentinel is awake whenever it isn't. */
export const unitOfWorkVariable = 'daybook.unit_of_work'

/** What a trigger asks in SQL: whether a statement is none of the unit of work's own, or one that a foreign key acts out for it. */
export const outsideUnitSql = `pg_trigger_depth() > 0 or current_setting('${unitOfWorkVariable}', true) is distinct from 'on'`

/** A question that never reaches the server: our own clients answer it with the transaction's `Unsent`. */
export const unsentQuestion = '/* daybook: unsent */'

const known = new WeakMap<object, Unsent>()

export async function unsentOf(transaction: object): Promise<Unsent> {
  const found = known.get(transaction)
  if (found) return found
  const { rows } = await (transaction as Transaction<unknown>).executeQuery<Unsent>(CompiledQuery.raw(unsentQuestion))
  noteUnsent(transaction, rows[0]!)
  return rows[0]!
}

export function noteUnsent(transaction: object, unsent: Unsent): void {
  known.set(transaction, unsent)
}

/** The same where it has been asked for before, which it has wherever something waits. */
export function knownUnsentOf(transaction: object | undefined): Unsent | undefined {
  return transaction && known.get(transaction)
}

/** One select that calls nothing but what is known to write nothing that the log tells. Function calls could do anything. */
export function isPlainRead(text: string): boolean {
  if (!/^select\b/i.test(text) || /;|--|\/\*|\binto\b/i.test(text)) return false
  for (const [, called] of text.matchAll(/([\p{L}\p{N}_$".]+)\s*\(/gu)) if (!harmless.has(called!.toLowerCase())) return false
  return true
}

/** Whether it may change a row that is there already. */
function mayRewrite(text: string): boolean {
  if (isPlainRead(text)) return false
  return !/^(begin|start|savepoint|set|insert)\b/i.test(text) || /;|\b(update|delete|merge|rollback)\b/i.test(text)
}

const harmless = new Set(
  (
    'select from where and or not in any all some exists on as using values distinct union intersect except over filter within group by having limit ' +
    'count sum avg min max coalesce nullif lower upper length json_agg json_build_object json_object_agg jsonb_each jsonb_array_elements_text to_jsonb ' +
    'row_number current_setting set_config pg_advisory_xact_lock pg_try_advisory_xact_lock hashtextextended daybook_person_keys daybook_admit_key daybook_told'
  ).split(' '),
)
