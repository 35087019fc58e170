import { expect, test } from 'vitest'
import { builtinRoles, permissionActions } from '../../src/domain/access/index.ts'
import { names } from '../../src/domain/access/permission-patterns.ts'
import { modelWith, resourcesOf } from '../../src/model.ts'

const byKey = new Map(builtinRoles.map(role => [role.key, role]))

test('a parent stands before its children, so no role can be its own ancestor', () => {
  const seen = new Set<string>()
  for (const { key, parent } of builtinRoles) {
    expect(parent === undefined || seen.has(parent), key).toBe(true)
    expect(seen.has(key), key).toBe(false)
    seen.add(key)
  }
})

test('owner, administrator, member and viewer are one line', () => {
  expect(['OWNER', 'ADMIN', 'MEMBER', 'VIEWER'].map(key => byKey.get(key)?.parent)).toEqual(['ADMIN', 'MEMBER', 'VIEWER', undefined])
})

test('every pattern has the form of a permission', () => {
  const actions = permissionActions.map(action => action.toLowerCase())
  for (const { key, permissions } of builtinRoles) {
    for (const pattern of permissions) {
      const [resource, action, ...rest] = pattern.split(':')
      expect(rest, `${key} ${pattern}`).toEqual([])
      expect(resource, `${key} ${pattern}`).toMatch(/^(\*|[a-z]+(-[a-z]+)*)$/)
      expect(actions, `${key} ${pattern}`).toContain(action)
    }
  }
})

test('every exception is a resource, so that a slip of the pen opens nothing', () => {
  const resources = resourcesOf(modelWith().entities)
  for (const { except = [] } of builtinRoles) for (const resource of except) expect(resources).toContain(resource)
})

test.each([
  ['task:update', 'task:update', true],
  ['*:read', 'task:read', true],
  ['*:read', 'task:update', false],
  ['task:*', 'task:manage', true],
  ['task:*', 'task:read', false],
  ['*:*', 'task:manage', true],
  ['task:read', 'task-list:read', false],
])('the pattern %s names %s: %s', (pattern, key, expected) => {
  expect(names(pattern, key)).toBe(expected)
})
