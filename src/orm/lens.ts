import type { SessionContext } from '@mikro-orm/core'
import { type AbortableQueryOptions, type Compilable, CompiledQuery, type QueryResult, type Transaction } from 'kysely'
import { newId } from '../kernel/id.ts'
import { LensWritesError } from './orm.errors.ts'
import type { RunSql } from './roles.ts'

/** Looks at the tables through something else: each statement is rewritten on its way. `run` asks the database itself. */
export interface Lens {
  rewrite(sql: string, run: RunSql): Promise<string>
  /** What came back, made readable. */
  read<R>(rows: R[], run: RunSql): Promise<R[]>
}

const lenses = new WeakMap<object, Lens>()

/**
 * Transactions that open with this session, and savepoints in them, look through the lens. The ORM's cache of results tells sessions apart by
 * what they hold, and what is seen through a lens is no answer for anybody else.
 */
export function lookThrough(session: SessionContext, lens: Lens): void {
  lenses.set(Object.assign(session, { lens: newId() }), lens)
}

export function lensOf(sessionOrTransaction: object | undefined): Lens | undefined {
  return sessionOrTransaction && lenses.get(sessionOrTransaction)
}

/**
 * The same transaction, seen through a lens. All of the ORM's statements pass `executeQuery`; streams do not, and whatever writes has no
 * place here, so both are refused.
 */
export function throughLens<T extends object>(transaction: T, lens: Lens): T {
  const target = transaction as unknown as Transaction<unknown>
  const run: RunSql = async sql => (await target.executeQuery<Record<string, unknown>>(CompiledQuery.raw(sql))).rows
  const executeQuery = async <R>(query: Compilable<R> | CompiledQuery<R>, options?: AbortableQueryOptions): Promise<QueryResult<R>> => {
    const sql = (query as CompiledQuery).sql.replace(leadingComments, '')
    if (sql === '' || ofTransaction.test(sql)) return target.executeQuery(query, options)
    if (!/^(select\b|with\b|\()/i.test(sql)) throw new LensWritesError()
    const rewritten = { ...(query as CompiledQuery<R>), sql: await lens.rewrite(sql, run) }
    const result = await onlyReading(target, () => target.executeQuery<R>(rewritten, options)).catch(refuseWriting)
    return { ...result, rows: await lens.read(result.rows, run) }
  }
  const proxy = new Proxy(transaction, {
    get(_target, key) {
      if (key === 'executeQuery') return executeQuery
      const value: unknown = Reflect.get(transaction, key, transaction)
      return typeof value === 'function' ? (value.bind(transaction) as unknown) : value
    },
  })
  lenses.set(proxy, lens)
  if (isReadOnly(transaction)) noteReadOnly(proxy)
  return proxy
}

const reading = new WeakSet<object>()

/** Of a transaction that the database lets nobody write in. */
export function noteReadOnly(transaction: object): void {
  reading.add(transaction)
}

export function isReadOnly(transaction: object | undefined): boolean {
  return transaction !== undefined && reading.has(transaction)
}

/**
 * What a question calls might write, which only the database can tell. Where the transaction itself may, a savepoint that may not is put around
 * the question: the four statements leave one behind the other, so that nothing else of the transaction gets between. After a failure the
 * transaction can only be rolled back, as after any.
 */
async function onlyReading<R>(target: Transaction<unknown>, ask: () => Promise<R>): Promise<R> {
  if (isReadOnly(target)) return ask()
  const say = (sql: string) => target.executeQuery(CompiledQuery.raw(sql))
  const opening = [say('savepoint daybook_past'), say('set local transaction_read_only = on')]
  const answer = ask()
  const [outcome] = await Promise.allSettled([answer, ...opening, say('release savepoint daybook_past')])
  await Promise.all(opening)
  if (outcome.status === 'rejected') throw outcome.reason
  return outcome.value
}

function refuseWriting(error: unknown): never {
  throw (error as { code?: string }).code === '25006' ? new LensWritesError(error) : error
}

/** Somebody's own words in front of a question; nothing else than such words is a question of ours to the client. */
const leadingComments = /^(\s+|--.*|\/\*(?:(?!\*\/)[\s\S])*\*\/)+/

const ofTransaction = /^(select set_config\(|savepoint|release|rollback|set local)/i
