import { afterAll, beforeAll, expect, test } from 'vitest'
import { describe as described, resource } from '../../src/http/resources/resource.ts'
import type { Daybook } from '../../src/orm/index.ts'
import { openTestDaybook } from '../../src/testing/index.ts'
import { entities, migrations, Note } from '../audit/model.ts'

let daybook: Daybook

beforeAll(async () => {
  daybook = await openTestDaybook({ entities, migrations })
})
afterAll(() => daybook.close())

test('the table of a relation to many, once made, is what migration:check expects', async () => {
  const wanted = await daybook.orm.schema.getUpdateSchemaSQL({ wrap: false })
  expect(wanted.split('\n').filter(line => /"(note_tags|note_pinned|deck_tags)"/.test(line))).toEqual([])
})

test.each(['tags', 'place', 'secretWord'] as const)('a resource that would let clients give %s says what to do instead', name => {
  const describing = () => described(resource(Note, { write: [name] }), daybook.orm.getMetadata())
  expect(describing).toThrow(
    `Note has no field ${name} that a client could give: it is no column of its own, or a secret. Let an action take it.`,
  )
})
