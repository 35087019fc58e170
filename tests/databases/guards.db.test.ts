import { afterAll, expect, test } from 'vitest'
import { systemActor } from '../../src/context/index.ts'
import { openTestDatabase } from '../../src/testing/index.ts'

const { daybook } = await openTestDatabase()
afterAll(() => daybook.close())

const routine = /create or replace function "(\w+)"\(\) returns trigger as \$\$([\s\S]*?)\$\$/

/** The schema's own comparison looks at triggers by name, not at what their functions do. */
test('the guards in the database do what the entities declare today', async () => {
  const declared = [...daybook.orm.getMetadata().getAll().values()]
    .flatMap(({ triggers }) => triggers)
    .map(({ expression }) => routine.exec(expression ?? ''))
    .filter(found => found !== null)
    .map(([, name, body]) => [name!, body!.trim()] as const)
    .filter(([name]) => name.includes('_guard_'))
  expect(declared.length).toBeGreaterThan(70)
  const em = daybook.scope({ kind: 'identity', actor: systemActor('test') })
  const rows = await em.execute<{ name: string; body: string }[]>(
    `select proname as name, trim(prosrc) as body from pg_proc where proname like '%\\_guard\\_%'`,
  )
  const stored = Object.fromEntries(rows.map(({ name, body }) => [name, body]))
  for (const [name, body] of declared) expect([name, stored[name]]).toEqual([name, body])
})

test('the sentinels and shared guards in the database know the columns that the entities declare today', async () => {
  const given = (definition: string) => /\w+\(('[^()]*')\);?$/.exec(definition)?.[0].replace(/;$/, '')
  const declared = [...daybook.orm.getMetadata().getAll().values()].flatMap(({ tableName, triggers }) =>
    triggers.flatMap(({ name, expression = '' }) => (given(expression) ? [[tableName, name!, given(expression)] as const] : [])),
  )
  expect(declared.length).toBeGreaterThan(200)
  const em = daybook.scope({ kind: 'identity', actor: systemActor('test') })
  const rows = await em.execute<{ on: string; name: string; definition: string }[]>(
    `select tgrelid::regclass::text as on, tgname as name, pg_get_triggerdef(oid) as definition from pg_trigger where not tgisinternal`,
  )
  const stored = new Map(rows.map(({ on, name, definition }) => [`${on.replaceAll('"', '')} ${name}`, given(definition)]))
  for (const [table, name, list] of declared) expect([table, name, stored.get(`${table} ${name}`)]).toEqual([table, name, list])
})
