import type { Actor } from '../../context/index.ts'
import type { ScopedEntityManager } from '../../orm/index.ts'
import { ApiKey } from './api-key.entity.ts'

/** Who acts, where that is a person: a program's key is in the hands of whoever issued it. */
export async function personActing(em: ScopedEntityManager, { type, id }: Actor): Promise<string | undefined> {
  if (type === 'user') return id
  const key = type === 'api_key' ? await em.findOne(ApiKey, id) : null
  return key?.createdBy?.id
}
