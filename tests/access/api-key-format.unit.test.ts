import { expect, test } from 'vitest'
import { tenantOfKey } from '../../src/domain/access/api-key-format.ts'
import { newKey } from '../../src/domain/access/internal.ts'
import { newId } from '../../src/kernel/id.ts'

const key = newKey(newId(), 'LIVE')

test.each(['LIVE', 'TEST'] as const)('a %s key tells its tenant and says what it is', environment => {
  for (const tenant of [newId(), '00000000-0000-0000-0000-000000000000', 'ffffffff-ffff-ffff-ffff-ffffffffffff']) {
    const made = newKey(tenant, environment)
    expect(made).toMatch(new RegExp(`^dbk_${environment.toLowerCase()}_[0-9A-Za-z]{71}$`))
    expect(tenantOfKey(made)).toBe(tenant)
  }
})

test('a thousand keys of one tenant differ', () => {
  const tenant = newId()
  expect(new Set(Array.from({ length: 1_000 }, () => newKey(tenant, 'LIVE'))).size).toBe(1_000)
})

test('one wrong letter anywhere is noticed', () => {
  for (let position = 9; position < key.length; position++) {
    const wrong = key[position] === 'a' ? 'b' : 'a'
    expect(tenantOfKey(key.slice(0, position) + wrong + key.slice(position + 1))).toBeUndefined()
  }
})

test.each([
  '',
  'dbk_live_',
  key.slice(0, -1),
  `${key}x`,
  key.replace('live', 'test'),
  key.toUpperCase(),
  `dbk_live_${'z'.repeat(71)}`,
  `${key}\n`,
])('%j is no key', text => {
  expect(tenantOfKey(text)).toBeUndefined()
})
