import type { ScopedEntityManager } from '../orm/index.ts'
import { PersonKeyLockedError } from './audit.errors.ts'
import { keyringOf } from './capture.ts'
import { nameOf, type Seal, type Told } from './personal.ts'
import { sealsIn } from './seals.ts'
import { inTransaction } from './story.ts'
import { tell } from './tell.ts'

/**
 * Destroys a person's key in the logs that this scope sees: a tenant's, or with an operator's all. The log stays whole, folds as before and
 * can be proved; what it told of the person reads as erased, for everybody and for good. Rows that still hold something are the caller's to
 * blank or delete, before: their last change is told under the key that then goes.
 *
 * Backups keep what they had until they expire.
 */
export function erasePerson(em: ScopedEntityManager, person: string): Promise<void> {
  return inTransaction(em, async inner => {
    await inner.flush()
    const scope = inner.boundScope
    // Somebody of whom only the sentinel told has no key yet, and none may be made afterwards.
    await inner.execute(
      `insert into audit_person_key (tenant_id, person_id, sealed_key, erased_at)
        select log, ?, null, now() from (select ?::uuid as log union select tenant_id from audit_personal where person_id = ?) logs
          where log is not null on conflict do nothing`,
      [person, scope?.kind === 'tenant' ? scope.tenantId : null, person],
    )
    const beside = await inner.execute<{ log: string }[]>(`delete from audit_personal where person_id = ? returning tenant_id as log`, [
      person,
    ])
    const keys = await inner.execute<{ log: string }[]>(
      `update audit_person_key set sealed_key = null, erased_at = now() where person_id = ? and sealed_key is not null returning tenant_id as log`,
      [person],
    )
    const logs = new Set([...keys, ...beside].map(({ log }) => log))
    for (const log of logs) await tell(inner, { type: 'person.erased', log, details: { person } })
  })
}

/** Seals what the sentinel put beside the log, some rows at a time; how many there were. It fails last, for keys that don't open. */
export async function sealPersonal(em: ScopedEntityManager, limit = 1_000): Promise<number> {
  if (!keyringOf(em)) return 0
  return inTransaction(em, async inner => {
    const locked: Locked[] = []
    for (let rows = await besideLog(inner, limit, locked); rows.length > 0; rows = await besideLog(inner, limit, locked)) {
      const sealed = sealedOf(rows, await sealsIn(inner, rows), locked)
      if (sealed.length > 0) return setSealed(inner, sealed)
    }
    // Nothing else is left by then, so what fails with it is this alone.
    if (locked.length > 0) throw locked[0]!.error
    return 0
  })
}

/** How many of them there are, whose keys can be opened or not. */
export async function countUnsealedPersonal(em: ScopedEntityManager): Promise<number> {
  const [row] = await em.execute<{ count: number }[]>('select count(*)::int as count from audit_personal where not is_sealed')
  return row!.count
}

interface Beside extends Told {
  readonly id: string
  readonly value: string
}

interface Locked extends Told {
  readonly error: PersonKeyLockedError
}

function besideLog(em: ScopedEntityManager, limit: number, but: readonly Told[]): Promise<Beside[]> {
  return em.execute<Beside[]>(
    `select id, tenant_id as log, person_id as person, value from audit_personal
      where not is_sealed and (tenant_id, person_id) not in (select log, person from json_to_recordset(?) as r(log uuid, person uuid))
      limit ${limit} for update skip locked`,
    [JSON.stringify(but.map(({ log, person }) => ({ log, person })))],
  )
}

function sealedOf(rows: readonly Beside[], sealFor: (told: Told) => Seal, locked: Locked[]): Pick<Beside, 'id' | 'value'>[] {
  const sealed: Pick<Beside, 'id' | 'value'>[] = []
  for (const [, ofPerson] of Map.groupBy(rows, nameOf)) {
    const [{ log, person }] = ofPerson as [Beside]
    try {
      const seal = sealFor({ log, person })
      // What somebody has set to null by hand has nothing to seal.
      sealed.push(...ofPerson.map(({ id, value }) => ({ id, value: (JSON.parse(seal(value)) as string | null) ?? value })))
    } catch (error) {
      if (!(error instanceof PersonKeyLockedError)) throw error
      locked.push({ log, person, error })
    }
  }
  return sealed
}

async function setSealed(em: ScopedEntityManager, sealed: readonly Pick<Beside, 'id' | 'value'>[]): Promise<number> {
  await em.execute(
    `update audit_personal p set value = s.value, is_sealed = true from json_to_recordset(?) as s(id uuid, value text) where p.id = s.id`,
    [JSON.stringify(sealed)],
  )
  return sealed.length
}
