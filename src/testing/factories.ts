import type { EntityMetadata } from '@mikro-orm/core'
import { userActor } from '../context/index.ts'
import type { Daybook, ScopedEntityManager } from '../orm/index.ts'
import type { Examples } from './examples.ts'
import { admit, dataFor, personFor, type RowData } from './row-data.ts'

/**
 * Makes one valid row of any entity in a tenant, from metadata alone: required properties by their type, required relations by rows of
 * their own. People whom the row refers to are one new person, in whose name it is made; a row that is private to somebody who is named is made in
 * that person's name.
 */
export async function createRow(
  daybook: Daybook,
  tenant: string,
  meta: EntityMetadata,
  overrides: RowData = {},
  examples: Examples = {},
): Promise<RowData> {
  const person = personFor(meta, overrides)
  return daybook.transact({ tenant, actor: userActor(person) }, async em => {
    const data = await dataFor(em, meta, { person, examples }, overrides)
    em.create(meta.class, data as never)
    await em.flush()
    await admit(em, person)
    return data
  })
}

/** The data of a valid row, whose relations exist already. It is not written. */
export function rowData(em: ScopedEntityManager, meta: EntityMetadata, person: string, examples: Examples = {}): Promise<RowData> {
  return dataFor(em, meta, { person, examples })
}
