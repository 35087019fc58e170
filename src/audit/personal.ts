import { PersonKeyLockedError } from './audit.errors.ts'
import { type Keyring, newKey, sealWith } from '../kernel/keyring.ts'

/**
 * What the log tells of a person stands in it under that person's key, and the key under a master key that the database never sees. Without
 * the person's key the log is as it was, and can be proved and folded; only what it told of them is gone.
 *
 *   the unit of work   seals the value itself                              daybook:sealed:<person>:<ciphertext>
 *   the sentinel       has no keys, so it puts the value beside the log    daybook:personal:<id>
 *   either, erased     tells that there was one                            daybook:erased
 *
 * Marks count only in columns that are declared personal, so nobody can write one into the log and have it opened.
 */
export const sealedMark = /^daybook:sealed:([0-9a-f-]{36}):([\w-]+)$/
export const besideMark = /^daybook:personal:([0-9a-f-]{36})$/
export const erasedMark = 'daybook:erased'

/** What a decision says that may tell of somebody. It is sealed where the decision says of whom, and taken for a mark nowhere else. */
export const decisionWords: readonly string[] = ['outcome', 'rationale', 'alternatives', 'inputs']

/** What readers say for a value whose key is gone. */
export const erased = '[erased]'

/** The log of a tenant, or a person's own, and a person that it tells of. */
export interface Told {
  readonly log: string
  readonly person: string
}

/** The JSON text of a value as the log keeps it. */
export type Seal = (text: string) => string

/**
 * One seal for each of these people, whose keys are made where the log has none yet. Nothing is kept: a key may be gone the next time. A key
 * that can't be opened is told when that person's seal is asked for, so that it is nobody else's trouble.
 */
export async function sealsFor(
  people: readonly Told[],
  keyring: Keyring,
  run: (sql: string, parameters: unknown[]) => Promise<readonly KeyRow[]>,
): Promise<(told: Told) => Seal> {
  const wanted = new Map(people.map(told => [nameOf(told), told]))
  const offered = [...wanted.values()].map(({ log, person }) => ({ t: log, p: person, k: keyring.seal(newKey(), `${log}:${person}`) }))
  const rows = await run('select log, person, sealed_key from daybook_person_keys($1)', [JSON.stringify(offered)])
  const keys = new Map(rows.map(row => [nameOf(row), row]))
  return told => sealOf(keys.get(nameOf(told))!, keyring)
}

export interface KeyRow {
  readonly log: string
  readonly person: string
  /** Null once it has been destroyed. */
  readonly sealed_key: string | null
}

export const nameOf = ({ log, person }: Told): string => `${log}:${person}`

/** Nothing once it has been destroyed. One that was sealed by a master key which isn't here isn't that, and nobody may take it for it. */
export function keyIn(row: KeyRow, keyring: Keyring | undefined): Buffer | undefined {
  if (row.sealed_key === null) return undefined
  const key = unlessAltered(row, () => keyring?.open(row.sealed_key!, nameOf(row)))
  if (!key) throw new PersonKeyLockedError(row)
  return key
}

/** Whoever writes to the database by hand may have written anything where a key or what it sealed should stand. */
export function unlessAltered<T>(told: Told, open: () => T): T {
  try {
    return open()
  } catch (error) {
    throw new PersonKeyLockedError(told, { cause: error })
  }
}

function sealOf(row: KeyRow, keyring: Keyring): Seal {
  const { log, person } = row
  const key = keyIn(row, keyring)
  if (!key) return text => (text === 'null' ? text : `"${erasedMark}"`)
  return text => (text === 'null' ? text : `"daybook:sealed:${person}:${sealWith(key, text, `${log}:${person}`)}"`)
}
