import { expect, test } from 'vitest'
import { type Grants, type HeldRole, implies, type Subject, verdictOf } from '../../src/domain/access/permission-decision.ts'

const userId = 'u1'
const role = (key: string, permissions: HeldRole['permissions'] = [], parentId?: string): HeldRole => ({
  id: key,
  key,
  permissions,
  parentId: parentId ?? null,
})

function grantsOf(parts: Partial<Omit<Grants, 'roles'>> & { roles?: HeldRole[] }): Grants {
  const { roles = [], ...rest } = parts
  return { userId, userRoles: [], direct: [], ...rest, roles: new Map(roles.map(each => [each.id, each])) }
}

const member = (roleId: string) => ({ status: 'ACTIVE', roleId })
const task: Subject = { type: 'task', id: 't1', values: { assigneeId: userId, stage: 'open' } }

test.each([
  ['task:update', 'task:update', true],
  ['task:manage', 'task:update', true],
  ['task:update', 'task:manage', false],
  ['task:update', 'task:delete', false],
  ['task:manage', 'tasklist:update', false],
  ['task-template:manage', 'task:update', false],
])('%s held, %s wanted: %s', (held, wanted, expected) => {
  expect(implies(held, wanted)).toBe(expected)
})

test('whoever is no member may do nothing, whatever else is granted', () => {
  const grants = grantsOf({ direct: [{ key: 'task:read', effect: 'ALLOW' }] })
  expect(verdictOf(grants, 'task:read')).toMatchObject({ allowed: false, path: [], because: 'the person is not a member' })
})

test.each(['SUSPENDED', 'LEFT'])('a membership that is %s allows nothing', status => {
  const grants = grantsOf({ membership: { status, roleId: 'R' }, roles: [role('R', [{ key: 'task:manage' }])] })
  expect(verdictOf(grants, 'task:read').allowed).toBe(false)
})

test('inheritance adds, and the path names every role on the way', () => {
  const roles = [role('OWNER', [], 'ADMIN'), role('ADMIN', [{ key: 'role:manage' }], 'MEMBER'), role('MEMBER', [{ key: 'task:update' }])]
  expect(verdictOf(grantsOf({ membership: member('OWNER'), roles }), 'task:update').path).toEqual([
    'membership',
    'OWNER',
    'ADMIN',
    'MEMBER',
    'task:update',
  ])
  expect(verdictOf(grantsOf({ membership: member('MEMBER'), roles }), 'role:read').allowed).toBe(false)
})

test('a circle among roles ends', () => {
  const roles = [role('A', [], 'B'), role('B', [{ key: 'task:read' }], 'A')]
  const grants = grantsOf({ membership: member('A'), roles })
  expect(verdictOf(grants, 'task:read').path).toEqual(['membership', 'A', 'B', 'task:read'])
  expect(verdictOf(grants, 'task:delete').allowed).toBe(false)
})

test('a denial beats membership, roles and direct grants', () => {
  const grants = grantsOf({
    membership: member('R'),
    roles: [role('R', [{ key: 'task:manage' }])],
    userRoles: [{ roleId: 'R' }],
    direct: [
      { key: 'task:delete', effect: 'ALLOW' },
      { key: 'task:delete', effect: 'DENY' },
    ],
  })
  expect(verdictOf(grants, 'task:delete')).toEqual({
    allowed: false,
    path: ['denied', 'task:delete'],
    because: 'task:delete is denied to the person',
    denials: ['task:delete'],
    considered: [
      ['membership', 'R'],
      ['role', 'R'],
    ],
  })
  expect(verdictOf(grants, 'task:update').allowed).toBe(true)
})

test('denying manage denies every action', () => {
  const grants = grantsOf({
    membership: member('R'),
    roles: [role('R', [{ key: 'task:read' }])],
    direct: [{ key: 'task:manage', effect: 'DENY' }],
  })
  expect(verdictOf(grants, 'task:read').allowed).toBe(false)
})

test('denying one action denies managing, and no other action', () => {
  const grants = grantsOf({
    membership: member('R'),
    roles: [role('R', [{ key: 'task:manage' }])],
    direct: [{ key: 'task:delete', effect: 'DENY' }],
  })
  expect(verdictOf(grants, 'task:manage')).toMatchObject({ allowed: false, denials: ['task:delete'] })
  expect(verdictOf(grants, 'task:update').allowed).toBe(true)
})

test('a refusal names the roles that were looked through', () => {
  const roles = [role('ADMIN', [], 'VIEWER'), role('VIEWER'), role('R')]
  const grants = grantsOf({
    membership: member('ADMIN'),
    roles,
    userRoles: [{ roleId: 'R', scope: { type: 'task', id: 't1' } }],
  })
  expect(verdictOf(grants, 'task:update').considered).toEqual([['membership', 'ADMIN', 'VIEWER']])
  expect(verdictOf(grants, 'task:update', task).considered).toEqual([
    ['membership', 'ADMIN', 'VIEWER'],
    ['role for task', 'R'],
  ])
})

test('a role for one thing counts for that thing alone', () => {
  const grants = grantsOf({
    membership: member('NONE'),
    roles: [role('NONE'), role('R', [{ key: 'task:update' }])],
    userRoles: [{ roleId: 'R', scope: { type: 'task', id: 't1' } }],
  })
  expect(verdictOf(grants, 'task:update', task).path).toEqual(['role for task', 'R', 'task:update'])
  expect(verdictOf(grants, 'task:update', { ...task, id: 't2' }).allowed).toBe(false)
  expect(verdictOf(grants, 'task:update', { ...task, type: 'document' }).allowed).toBe(false)
  expect(verdictOf(grants, 'task:update').allowed).toBe(false)
})

test('a condition counts when the subject meets all of it', () => {
  const conditional = (condition: Record<string, string>) =>
    grantsOf({ membership: member('R'), roles: [role('R', [{ key: 'task:update', condition }])] })
  expect(verdictOf(conditional({ assigneeId: '$actor' }), 'task:update', task).allowed).toBe(true)
  expect(verdictOf(conditional({ assigneeId: '$actor', stage: 'closed' }), 'task:update', task).allowed).toBe(false)
  expect(verdictOf(conditional({ assigneeId: '$actor' }), 'task:update').allowed).toBe(false)
  expect(verdictOf(conditional({ assigneeId: '$actor' }), 'task:update', { type: 'task', id: 't1' }).allowed).toBe(false)
})
