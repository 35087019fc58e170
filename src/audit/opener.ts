import { type Keyring, openWith } from '../kernel/keyring.ts'
import type { RunSql } from '../orm/index.ts'
import { besideMark, erased, erasedMark, keyIn, type KeyRow, nameOf, sealedMark, unlessAltered } from './personal.ts'

/** A value as it stands in somebody's log. */
export interface Marked {
  readonly log: string
  readonly mark: string
}

/**
 * Reads what the log tells of people, with the keys that are there at this moment; whoever's key is gone reads as erased. A key that can't be
 * opened is told where something of that person is read, and nothing else of the log is the worse for it.
 */
export class Opener {
  readonly #keyring: (() => Promise<Keyring>) | undefined
  readonly #run: RunSql
  readonly #keys = new Map<string, KeyRow>()
  readonly #opened = new Map<string, Buffer | undefined>()
  #ring: Keyring | undefined
  readonly #beside = new Map<string, string>()

  constructor(keyring: (() => Promise<Keyring>) | undefined, run: RunSql) {
    this.#keyring = keyring
    this.#run = run
  }

  /** Fetches what opening these needs, at once. */
  async prepare(values: Iterable<Marked>): Promise<void> {
    const people = new Map<string, string>()
    const ids = new Set<string>()
    for (const { log, mark } of values) {
      const person = sealedMark.exec(mark)?.[1]
      if (person && !this.#keys.has(nameOf({ log, person }))) people.set(nameOf({ log, person }), `('${log}', '${person}')`)
      const id = besideMark.exec(mark)?.[1]
      if (id && !this.#beside.has(id)) ids.add(id)
    }
    if (ids.size > 0) {
      const rows = await this.#run(
        `select p.id, p.tenant_id as log, p.person_id as person, p.value, p.is_sealed, k.erased_at is not null as is_erased from audit_personal p
          left join audit_person_key k on k.tenant_id = p.tenant_id and k.person_id = p.person_id where p.id in ('${[...ids].join("','")}')`,
      )
      const beside = rows as unknown as readonly BesideRow[]
      for (const { log, person } of beside.filter(row => row.is_sealed)) people.set(nameOf({ log, person }), `('${log}', '${person}')`)
      await this.#fetchKeys(people)
      for (const { id, log, value, is_sealed, is_erased } of beside) {
        // A transaction that was open while the person was erased may set values beside the log afterwards.
        if (!is_erased) this.#beside.set(id, is_sealed ? this.open({ log, mark: value }) : value)
      }
    } else await this.#fetchKeys(people)
  }

  /** The JSON text that a mark stands for; a text from before its column was declared personal stands for itself. */
  open({ log, mark }: Marked): string {
    const sealed = sealedMark.exec(mark)
    if (sealed) return this.#openSealed({ log }, sealed[1]!, sealed[2]!)
    const beside = besideMark.exec(mark)
    if (beside) return this.#beside.get(beside[1]!) ?? erasedText
    return mark === erasedMark ? erasedText : JSON.stringify(mark)
  }

  async #fetchKeys(people: ReadonlyMap<string, string>): Promise<void> {
    if (people.size === 0) return
    const rows = await this.#run(
      `select tenant_id as log, person_id as person, sealed_key from audit_person_key where (tenant_id, person_id) in (${[...people.values()].join(', ')})`,
    )
    this.#ring = await this.#keyring?.()
    for (const row of rows as unknown as readonly KeyRow[]) this.#keys.set(nameOf(row), row)
  }

  #openSealed({ log }: { readonly log: string }, person: string, ciphertext: string): string {
    const name = nameOf({ log, person })
    const key = this.#keyNamed(name)
    return key ? unlessAltered({ log, person }, () => openWith(key, ciphertext, name)).toString() : erasedText
  }

  #keyNamed(name: string): Buffer | undefined {
    const row = this.#keys.get(name)
    if (row && !this.#opened.has(name)) this.#opened.set(name, keyIn(row, this.#ring))
    return this.#opened.get(name)
  }
}

const erasedText = JSON.stringify(erased)

interface BesideRow {
  readonly id: string
  readonly log: string
  readonly person: string
  readonly value: string
  readonly is_sealed: boolean
  readonly is_erased: boolean
}
