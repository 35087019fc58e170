import type { ScopedEntityManager } from '../../src/orm/index.ts'

/** All that the log holds of a tenant, as anybody with a dump of it would read it. */
export async function dumpOf(em: ScopedEntityManager, tenant: string): Promise<string> {
  const [row] = await em.execute<{ text: string }[]>(
    `select string_agg(row_to_json(e)::text, ' ') as text from audit_event e where tenant_id = ?`,
    [tenant],
  )
  return row!.text
}
