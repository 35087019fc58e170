import type { EntityMetadata } from '@mikro-orm/core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import * as daybookEntry from '../../src/index.ts'
import * as entities from '../../src/entities.ts'
import * as helpers from '../../src/helpers/index.ts'
import type { Daybook } from '../../src/orm/index.ts'
import { openTestDaybook } from '../../src/testing/index.ts'
import { askedFor } from './asked-for.ts'

/** Where a field lives under another name, or in another table, because that is better. */
const elsewhere: Readonly<Record<string, string>> = {
  'User.passwordHash': 'PasswordCredential.passwordHash',
  'TaskTemplate.version': 'TaskTemplate.revision',
  'ApprovalItem.requestedBy': 'ApprovalItem.requestedById',
}

/** The log is one table of events, of which activity and decisions are views; its columns have their own names. */
const ofTheLog = ['AuditEvent', 'ActivityLog', 'DecisionLog']

let daybook: Daybook
let metas: ReadonlyMap<string, EntityMetadata>
beforeAll(async () => {
  daybook = await openTestDaybook()
  metas = new Map([...daybook.orm.getMetadata().getAll().values()].map(meta => [meta.className, meta]))
})
afterAll(() => daybook.close())

function has(path: string): boolean {
  const [entity, field] = (elsewhere[path] ?? path).split('.') as [string, string?]
  const meta = metas.get(entity)
  if (!meta || field === undefined) return Boolean(meta)
  return [field, field.replace(/Id$/, '')].some(name => meta.properties[name as never])
}

test('each entity and field that was asked for is there', () => {
  const asked = askedFor.flatMap(({ entity, fields }) =>
    ofTheLog.includes(entity) ? [entity] : [entity, ...fields.map(field => `${entity}.${field}`)],
  )
  expect(asked.length).toBeGreaterThan(200)
  expect(asked.filter(path => !has(path))).toEqual([])
})

test('each value of an enum that was asked for is one', () => {
  const lists = (Object.values(entities) as unknown[]).filter(isListOfWords)
  const asked = askedFor.filter(({ entity }) => !ofTheLog.includes(entity)).flatMap(({ values }) => values)
  expect(asked.length).toBeGreaterThanOrEqual(20)
  const missing = asked.filter(values => !lists.some(list => values.every(value => list.includes(value))))
  expect(missing).toEqual([])
})

test('each helper that was asked for can be imported under its name', () => {
  const asked =
    'softDelete restore withSoftDelete getPaginationParams createPaginatedResponse withRetry checkDatabaseHealth cleanupExpiredSessions ' +
    'cleanupSoftDeletedRecords getUserPermissions BaseRepository PaginatedRepository UserRepository RoleRepository PermissionRepository ' +
    'AuthService transactionHelpers createTenantClient forTenant withTenant'
  expect(asked.split(' ').filter(name => !(name in helpers))).toEqual([])
  // The log's `restore` has the name there.
  expect(asked.split(' ').filter(name => !(name in daybookEntry))).toEqual([])
  expect(daybookEntry.restore).not.toBe(helpers.restore)
})

test('what had other names elsewhere can be imported under them', () => {
  const { Organization, IdealCustomerProfile, User } = entities
  const { Organisation, Workspace, ICP, users } = helpers
  expect({ Organisation, Workspace, ICP, users }).toEqual({
    Organisation: Organization,
    Workspace: Organization,
    ICP: IdealCustomerProfile,
    users: User,
  })
})

function isListOfWords(value: unknown): value is readonly string[] {
  return Array.isArray(value) && typeof value[0] === 'string'
}
