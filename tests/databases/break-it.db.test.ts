import { type EntitySchema, MikroORM, p } from '@mikro-orm/core'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { modelWith } from '../../src/model.ts'
import {
  embeddedOptions,
  type Entity,
  globalEntity,
  isolationProblems,
  openEmbeddedDatabase,
  ownRowSql,
  refuseBrokenIsolation,
  Row,
  type RunSql,
  tablesOf,
  tenantEntity,
  TenantRow,
} from '../../src/orm/index.ts'
import { openTestDatabase, type TestDatabase } from '../../src/testing/index.ts'
import { administer } from '../../src/testing/test-server.ts'

/** Isolation is broken on purpose, as an administrator could by accident, and start-up has to notice. */
let database: TestDatabase

beforeAll(async () => {
  database = await openTestDatabase()
})
afterAll(() => database.daybook.close())

/** Runs statements as the administrator; on the embedded database by leaving the role for a moment. */
async function asAdministrator(...statements: string[]): Promise<void> {
  if (database.urls) return void (await administer(database.urls.administrator, ...statements))
  const connection = database.daybook.orm.driver.getConnection()
  for (const statement of ['reset role', ...statements, 'set role daybook_app']) await connection.execute(statement)
}

/** On a server nobody else may see it: roles belong to all of its databases, in which other tests run. */
async function whileBroken(breaking: readonly string[], mending: readonly string[], look: (run: RunSql) => Promise<void>): Promise<void> {
  if (!database.urls) {
    await asAdministrator(...breaking)
    return look(run).finally(() => asAdministrator(...mending))
  }
  const client = new pg.Client({ connectionString: database.urls.administrator })
  await client.connect()
  try {
    for (const statement of ['begin', ...breaking, 'set local role daybook_app']) await client.query(statement)
    await look(async sql => (await client.query<Record<string, unknown>>(sql)).rows)
  } finally {
    await client.end()
  }
}

const run: RunSql = sql => database.daybook.orm.driver.getConnection().execute(sql)
const problems = () => isolationProblems(run, database.daybook.orm.getMetadata())

test('a database as migrations leave it has no problem', async () => {
  expect(await problems()).toEqual([])
})

test('nobody empties an audited table at once, the administrator included', async () => {
  const audited = tablesOf(database.daybook.orm.getMetadata()).filter(meta => meta.triggers.some(({ name }) => name === 'audit_insert'))
  expect(audited.length).toBeGreaterThan(9)
  for (const { tableName } of audited) {
    await expect(asAdministrator(`truncate ${tableName} cascade`)).rejects.toThrow(/TRUNCATE of table "\w+" is refused/)
    if (!database.urls) await run('set role daybook_app')
  }
})

const policy = `tenant_id = nullif(current_setting('daybook.tenant_id', true), '')::uuid`

describe.each<[string, string[], string[], RegExp]>([
  [
    'a policy is dropped',
    ['drop policy tenant on role'],
    [`create policy tenant on role using (${policy}) with check (${policy})`],
    /role lacks its policy "tenant"/,
  ],
  [
    'a second permissive policy appears',
    ['create policy live on role using (true)'],
    ['drop policy live on role'],
    /2 permissive policies/,
  ],
  [
    'a policy compares something else',
    ['alter policy tenant on role using (true)'],
    [`alter policy tenant on role using (${policy})`],
    /doesn’t compare the tenant in its using clause: true/,
  ],
  [
    'a policy checks nothing',
    ['alter policy tenant on role with check (true)'],
    [`alter policy tenant on role with check (${policy})`],
    /in its check clause: true/,
  ],
  [
    'row level security is switched off',
    ['alter table role disable row level security'],
    ['alter table role enable row level security'],
    /role has row level security switched off/,
  ],
  [
    'the owner is not bound',
    ['alter table role no force row level security'],
    ['alter table role force row level security'],
    /doesn’t force row level security/,
  ],
  [
    'a guard is disabled',
    ['alter table role disable trigger guard_insert'],
    ['alter table role enable trigger guard_insert'],
    /trigger "guard_insert" of table role, which keeps references inside the tenant, is disabled/,
  ],
  [
    'a sentinel is disabled, so that raw writes would go unrecorded',
    ['alter table role disable trigger audit_update'],
    ['alter table role enable trigger audit_update'],
    /trigger "audit_update" of table role, which tells the log what was written, is disabled/,
  ],
  [
    'a sentinel of a person’s table is dropped',
    ['alter trigger audit_delete on app_user rename to other'],
    ['alter trigger other on app_user rename to audit_delete'],
    /app_user lacks its trigger "audit_delete"/,
  ],
  [
    'an audited table may be truncated again',
    ['alter trigger audit_truncate on role rename to other'],
    ['alter trigger other on role rename to audit_truncate'],
    /role lacks its trigger "audit_truncate", which tells the log what was written/,
  ],
  [
    'a private table shows everybody’s rows to everybody',
    ['alter policy private on chat_message using (true)'],
    [`alter policy private on chat_message using (${ownRowSql('user_id')})`],
    /policy "private" of table chat_message doesn’t keep a person’s rows from others/,
  ],
  [
    'a private table’s policy binds somebody else',
    ['alter policy private on chat_message to daybook_operator'],
    ['alter policy private on chat_message to public'],
    /policy "private" of table chat_message doesn’t keep a person’s rows from others/,
  ],
  [
    'a private table takes rows in another’s name',
    ['alter policy private on document_chat with check (true)'],
    [`alter policy private on document_chat with check (${ownRowSql('user_id')})`],
    /policy "private" of table document_chat doesn’t keep a person’s rows from others/,
  ],
  [
    'a private table’s policy is gone',
    ['drop policy private on document_chat'],
    [`create policy private on document_chat as restrictive using (${ownRowSql('user_id')}) with check (${ownRowSql('user_id')})`],
    /table document_chat lacks its policy "private"/,
  ],
  [
    'a guard is renamed away',
    ['alter trigger guard_identity on role rename to other'],
    ['alter trigger other on role rename to guard_identity'],
    /role lacks its trigger "guard_identity"/,
  ],
  [
    'a unique index leaves the tenant out',
    ['create unique index role_name on role (name)'],
    ['drop index role_name'],
    /unique index role_name of table role doesn’t start with tenant_id/,
  ],
  [
    'the application’s role bypasses policies',
    ['alter role daybook_app bypassrls'],
    ['alter role daybook_app nobypassrls'],
    /daybook_app has BYPASSRLS/,
  ],
  [
    'the application’s role may become the owner',
    ['grant daybook_owner to daybook_app'],
    ['revoke daybook_owner from daybook_app'],
    /may become .*daybook_owner/,
  ],
  [
    'the application’s role owns a table',
    ['grant create on schema public to daybook_app', 'alter table invitation owner to daybook_app'],
    ['alter table invitation owner to daybook_owner', 'revoke create on schema public from daybook_app'],
    /daybook_app owns invitation/,
  ],
])('when %s', (_title, breaking, mending, expected) => {
  test('start-up refuses and says so, and is content once it is mended', async () => {
    await whileBroken(breaking, mending, async seen => {
      expect((await isolationProblems(seen, database.daybook.orm.getMetadata())).join('\n')).toMatch(expected)
      await expect(refuseBrokenIsolation(database.daybook, seen)).rejects.toMatchObject({
        code: 'database.isolation_broken',
      })
    })
    expect(await problems()).toEqual([])
  })
})

describe('a model is refused before it touches a database', () => {
  class Loose extends Row {}
  class Leaky extends TenantRow {
    declare code: string
  }
  const discover = async (entity: Entity) => {
    await MikroORM.init(
      embeddedOptions(modelWith({ entities: [entity] }), async () => (await openEmbeddedDatabase()).pglite, { queries: false }),
    )
  }

  test('when an entity says neither tenant nor global', async () => {
    const { EntitySchema: Schema } = await import('@mikro-orm/core')
    const loose: EntitySchema<Loose> = new Schema<Loose>({ class: Loose, properties: { id: { type: 'uuid', primary: true } } as never })
    await expect(discover(loose)).rejects.toMatchObject({ code: 'model.entity_not_scoped' })
  })

  test('when a unique property leaves the tenant out', async () => {
    const leaky = tenantEntity({ class: Leaky, properties: { code: p.text().unique() } })
    await expect(discover(leaky)).rejects.toMatchObject({ code: 'model.unique_across_tenants' })
  })

  test('when a tenant’s entity has a second permissive policy', async () => {
    class Wide extends TenantRow {}
    const wide = tenantEntity({ class: Wide, properties: {} })
    wide.meta.policies.push({ name: 'live', using: 'true' })
    await expect(discover(wide)).rejects.toMatchObject({ code: 'model.policy_widens' })
  })

  test('a global entity with a unique property is taken', async () => {
    class Catalogue extends Row {
      declare code: string
    }
    const catalogue = globalEntity({ class: Catalogue, properties: { code: p.text().unique() } })
    await expect(discover(catalogue)).resolves.toBeUndefined()
  })
})
