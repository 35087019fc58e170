import type { TenantRow } from '../../orm/index.ts'
import type { Work } from '../in-tenant.ts'
import { etagFor, type Known, selectionIn, viewWith } from './read.ts'
import { type Described, permissionFor } from './resource.ts'
import { etagOf, type View } from './view.ts'

/** What whoever has written is told of the row. */
export interface Told {
  readonly etag: string
  readonly body: View
}

/** Whoever may write and not read learns that it is done, and of the row no more than which one it is. */
export async function telling(work: Work, resource: Described, known: Known): Promise<(row: TenantRow) => Told> {
  if (!(await work.may(permissionFor(resource, 'read')))) return row => ({ etag: etagOf(row, resource), body: { id: row.id } })
  const selection = await selectionIn(resource, {}, known, work.may)
  return row => {
    const body = viewWith(row, selection)
    return { etag: etagFor(row, body, resource, selection), body }
  }
}
