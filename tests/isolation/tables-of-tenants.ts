import { systemActor } from '../../src/context/index.ts'
import type { Daybook } from '../../src/orm/index.ts'

interface TableOfTenants {
  readonly name: string
  readonly isAudited: boolean
}

/** The tables of the log, of its readers and of jobs, whose rows no flush of a tenant's writes. Tests of their own look at them. */
const ofTheMachinery = [
  'activity_per_day',
  'audit_event',
  'audit_person_key',
  'audit_personal',
  'audit_subscription',
  'job_run',
  'ledger_tile',
]

/** What the database knows of tenants, as migrations left it: an entity that the metadata loses is still here. */
export async function tablesOfTenants(daybook: Daybook): Promise<readonly TableOfTenants[]> {
  const operator = { kind: 'operator', actor: systemActor('test'), reason: 'a test' } as const
  const rows = await daybook.transact(operator, em =>
    em.execute<TableOfTenants[]>(
      `select c.relname as name, exists (select from pg_trigger t where t.tgrelid = c.oid and t.tgname like '%audit\\_insert') as "isAudited"
         from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id'
         where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition order by c.relname collate "C"`,
    ),
  )
  return rows.filter(({ name }) => !ofTheMachinery.includes(name))
}
