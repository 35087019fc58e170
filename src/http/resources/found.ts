import type { ScopedEntityManager, TenantRow } from '../../orm/index.ts'
import { entityNameOf } from '../../audit/index.ts'
import { ReferenceUnknownError } from '../http.errors.ts'

/** What a request refers to by its id, where a service wants the thing itself. */
export async function found<T extends TenantRow>(
  em: ScopedEntityManager,
  entity: new () => T,
  id: string,
  more: Partial<Record<keyof T, string>> = {},
): Promise<T> {
  const row = await em.findOne(entity, { ...more, id: id.toLowerCase() })
  if (!row) throw new ReferenceUnknownError(entityNameOf(entity.name))
  return row as T
}
