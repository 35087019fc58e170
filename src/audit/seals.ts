import type { Row, ScopedEntityManager } from '../orm/index.ts'
import { KeyringMissingError } from './audit.errors.ts'
import { auditedTableOf } from './audited-table.ts'
import { keyringOf } from './capture.ts'
import { idKnown } from './pending-change.ts'
import { type Seal, sealsFor, type Told } from './personal.ts'

/** Of whom a row tells, if it tells of anybody: whom it names, or who is known by the row's own id. */
export async function personBehind(em: ScopedEntityManager, row: Row): Promise<string | null> {
  const meta = em.getMetadata().find(row.constructor as never)
  const table = meta && auditedTableOf(meta)
  if (!table || table.personal.length === 0) return null
  const known = idKnown(row, meta, table.personColumn)
  if (known !== undefined) return known ?? row.id
  const [found] = await em.execute<{ person: string | null }[]>(
    `select "${table.personColumn}" as person from "${meta.tableName}" where id = ?`,
    [row.id],
  )
  return found?.person ?? row.id
}

/** Seals for these people, in the transaction at hand. */
export async function sealsIn(em: ScopedEntityManager, people: readonly Told[]): Promise<(told: Told) => Seal> {
  const keyring = keyringOf(em)
  if (!keyring) throw new KeyringMissingError('decision')
  return sealsFor(people, await keyring(), (sql, parameters) => em.execute(sql.replace('$1', '?'), parameters))
}
