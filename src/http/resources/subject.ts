import { entityNameOf } from '../../audit/index.ts'
import { isTenantOwned, privateColumnOf, type TenantRow } from '../../orm/index.ts'
import { ReferenceUnknownError } from '../http.errors.ts'
import type { Work } from '../in-tenant.ts'

/** What a request speaks of in the words of the log (`task` and an id), where whoever asks may see it. */
export async function subjectOf({ em, user, may }: Pick<Work, 'em' | 'user' | 'may'>, type: string, id: string): Promise<TenantRow> {
  const meta = [...em.getMetadata().getAll().values()].find(each => isTenantOwned(each) && entityNameOf(each.className) === type)
  // Of what is one person's the database keeps back from a session what isn't theirs, and from a program nothing.
  const verb = meta && !user && privateColumnOf(meta) !== undefined ? 'manage' : 'read'
  const subject = meta && (await may(`${type}:${verb}`)) ? await em.findOne<TenantRow>(meta.class, { id: id.toLowerCase() }) : null
  if (!subject) throw new ReferenceUnknownError(type)
  return subject
}
