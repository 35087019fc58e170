import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { admissionIn, admissionQuestion } from '../../src/domain/access/admission.ts'
import { registerOrganization } from '../../src/entities.ts'
import { openTestDatabase, type TestDatabase } from '../../src/testing/index.ts'

/** What decides who is let in, asked by a role that no policy binds, as the application's would be after a slip of an administrator. */
let database: TestDatabase
let unbound: pg.Client

beforeAll(async () => {
  database = await openTestDatabase()
  unbound = new pg.Client({ connectionString: database.urls!.administrator })
  await unbound.connect()
})
afterAll(async () => {
  await unbound.end()
  await database.daybook.close()
})

const register = (name: string) =>
  registerOrganization(database.daybook, {
    email: `${name}@example.com`,
    password: 'a long enough one',
    organization: { name },
  })

test('without any policy a stranger is still not let in, and a member is', async () => {
  const [ann, zoe] = [await register('acme'), await register('zenith')]
  const admitted = async (user: string, tenant: string) => {
    const { sql, params } = admissionQuestion({ user }, tenant, ['role:read'])
    const asked = database.daybook.orm.em.getPlatform().formatQuery(sql, params)
    await unbound.query(`begin; set local daybook.tenant_id = '${tenant}'`)
    const { rows } = await unbound.query<Record<string, unknown>>(asked)
    await unbound.query('rollback')
    return admissionIn(rows, { user }, ['role:read'], undefined)
  }
  expect(await admitted(ann.user.id, zoe.organization.id)).toBeUndefined()
  const own = await admitted(ann.user.id, ann.organization.id)
  expect(own?.verdictOn('role:read')).toMatchObject({ allowed: true })
})
