import { entityNameOf } from '../../audit/index.ts'
import { isTenantOwned, type TenantRow } from '../../orm/index.ts'
import { ReferenceUnknownError } from '../http.errors.ts'
import type { Work } from '../in-tenant.ts'

/** What a request speaks of in the words of the log (`task` and an id), where whoever asks may see it. */
export async function subjectOf({ em, may }: Pick<Work, 'em' | 'may'>, type: string, id: string): Promise<TenantRow> {
  const meta = [...em.getMetadata().getAll().values()].find(each => isTenantOwned(each) && entityNameOf(each.className) === type)
  const subject = meta && (await may(`${type}:read`)) ? await em.findOne<TenantRow>(meta.class, { id: id.toLowerCase() }) : null
  if (!subject) throw new ReferenceUnknownError(type)
  return subject
}
