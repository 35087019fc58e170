import { LockMode } from '@mikro-orm/core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  can,
  changeRole,
  createRole,
  deleteRole,
  ensureBuiltinRoles,
  explain,
  getUserPermissions,
  grantPermission,
  grantRole,
  inherit,
  inviteMember,
  issueApiKey,
  Role,
  type RoleChanges,
  updateRole,
  type User,
} from '../../src/entities.ts'
import { newId } from '../../src/kernel/id.ts'
import type { Daybook, ScopedEntityManager } from '../../src/orm/index.ts'
import { openTestDaybook } from '../../src/testing/index.ts'
import { type Company, foundCompany, hireInto, membershipOf, roleOf } from './company.ts'

let daybook: Daybook
const hour = 3_600_000

beforeAll(async () => {
  daybook = await openTestDaybook()
})
afterAll(() => daybook.close())

const company = () => foundCompany(daybook)
const hire = (firm: Company, key?: string) => hireInto(daybook, firm, key)

describe('permissions', () => {
  test('each built-in role can what it says', async () => {
    const firm = await company()
    const [member, viewer] = [await hire(firm), await hire(firm, 'VIEWER')]
    const allowed = (user: User, key: string) => firm.as(undefined, em => can(em, user, key))
    expect(await allowed(member, 'role:read')).toBe(true)
    expect(await allowed(member, 'role:update')).toBe(false)
    expect(await allowed(viewer, 'membership:read')).toBe(true)
    expect(await allowed(viewer, 'api-key:read')).toBe(false)
    expect(await allowed(firm.owner, 'organization:delete')).toBe(true)
  })

  test('another tenant’s person can nothing here, and this tenant’s can nothing there', async () => {
    const [here, there] = [await company(), await company()]
    expect(await here.as(undefined, em => explain(em, there.owner, 'role:read'))).toMatchObject({
      allowed: false,
      because: 'the person is not a member',
    })
  })

  test('what a person may do is listed with the way it is granted', async () => {
    const firm = await company()
    const viewer = await hire(firm, 'VIEWER')
    const listed = await firm.as(undefined, em => getUserPermissions(em, viewer))
    expect(listed.every(({ key }) => key.endsWith(':read'))).toBe(true)
    expect(listed.find(({ key }) => key === 'role:read')?.path).toEqual(['membership', 'VIEWER', 'role:read'])
  })

  test('further roles and direct grants may expire, and a denial takes away', async () => {
    const firm = await company()
    const user = await hire(firm, 'VIEWER')
    const now = Date.now()
    await firm.as(undefined, async em => {
      await grantPermission(em, user.id, 'role:create', 'ALLOW', { expiresAt: new Date(now - hour) })
      await grantPermission(em, user.id, 'role:update', 'ALLOW', { expiresAt: new Date(now + hour) })
      await grantPermission(em, user.id, 'membership:read', 'DENY')
      const admin = await roleOf(em, 'ADMIN')
      await grantRole(em, user.id, admin, { expiresAt: new Date(now - hour) })
      await grantRole(em, user.id, admin, { subject: { type: 'role', id: firm.organization.id } })
    })
    const allowed = (key: string, subject?: { type: string; id: string }) => firm.as(undefined, em => can(em, user, key, subject))
    expect(await allowed('role:create')).toBe(false)
    expect(await allowed('role:update')).toBe(true)
    expect(await allowed('membership:read')).toBe(false)
    expect(await allowed('role:delete')).toBe(false)
    expect(await allowed('role:delete', { type: 'role', id: firm.organization.id })).toBe(true)
  })

  test('ensuring the built-in roles again changes nothing', async () => {
    const firm = await company()
    const before = await firm.as(undefined, em => em.find(Role, {}, { orderBy: { id: 'asc' } }))
    await firm.as(undefined, ensureBuiltinRoles)
    const after = await firm.as(undefined, em => em.find(Role, {}, { orderBy: { id: 'asc' } }))
    expect(JSON.stringify(after)).toBe(JSON.stringify(before))
  })
})

describe('roles of one’s own', () => {
  test('inherit, and are refused a circle', async () => {
    const { as } = await company()
    await as(undefined, async em => {
      await createRole(em, { key: 'A', name: 'A', parent: 'VIEWER' })
      await createRole(em, { key: 'B', name: 'B', parent: 'A' })
    })
    const close = as(undefined, async em => inherit(em, await roleOf(em, 'A'), await roleOf(em, 'B')))
    await expect(close).rejects.toMatchObject({ code: 'access.role_cycle' })
    const itself = as(undefined, async em => inherit(em, await roleOf(em, 'A'), await roleOf(em, 'A')))
    await expect(itself).rejects.toMatchObject({ code: 'access.role_cycle' })
  })

  test('two halves of a circle at once: one is refused', async () => {
    const { as } = await company()
    await as(undefined, async em => {
      await createRole(em, { key: 'A', name: 'A' })
      await createRole(em, { key: 'B', name: 'B' })
    })
    const half = (role: string, parent: string) => as(undefined, async em => inherit(em, await roleOf(em, role), await roleOf(em, parent)))
    const outcomes = await Promise.allSettled([half('A', 'B'), half('B', 'A')])
    expect(outcomes.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected'])
  })

  test('are refused what is unknown, taken, built in or in use', async () => {
    const firm = await company()
    const refused = (work: (em: ScopedEntityManager) => Promise<unknown>, code: string) =>
      expect(firm.as(undefined, work)).rejects.toMatchObject({ code })
    await refused(em => createRole(em, { key: 'X', name: 'X', permissions: ['unicorn:ride'] }), 'access.permission_unknown')
    await refused(em => createRole(em, { key: 'OWNER', name: 'X' }), 'access.role_key_taken')
    await refused(async em => updateRole(em, await roleOf(em, 'VIEWER'), { name: 'X' }), 'access.builtin_role_immutable')
    await refused(async em => deleteRole(em, await roleOf(em, 'VIEWER')), 'access.builtin_role_immutable')
    await firm.as(undefined, em => createRole(em, { key: 'PARENT', name: 'P' }))
    await firm.as(undefined, em => createRole(em, { key: 'CHILD', name: 'C', parent: 'PARENT' }))
    await refused(async em => deleteRole(em, await roleOf(em, 'PARENT')), 'access.role_in_use')
    await firm.as(undefined, async em => deleteRole(em, await roleOf(em, 'CHILD')))
    await firm.as(undefined, async em => deleteRole(em, await roleOf(em, 'PARENT')))
  })

  test('change what they grant', async () => {
    const firm = await company()
    await firm.as(undefined, em => createRole(em, { key: 'R', name: 'R', permissions: ['role:read', 'role:create'] }))
    const user = await hire(firm, 'R')
    await firm.as(undefined, async em => updateRole(em, await roleOf(em, 'R'), { permissions: ['role:read', 'role:delete'] }))
    expect(await firm.as(undefined, em => can(em, user, 'role:create'))).toBe(false)
    expect(await firm.as(undefined, em => can(em, user, 'role:delete'))).toBe(true)
  })

  test('are another version with other permissions, so of two who change the same one is told', async () => {
    const firm = await company()
    const { id } = await firm.as(undefined, em => createRole(em, { key: 'R', name: 'R', permissions: ['role:read'] }))
    const give = (version: number, permissions: string[]) =>
      firm.as(undefined, async em => {
        const role = await em.findOneOrFail(Role, id)
        await em.lock(role, LockMode.OPTIMISTIC, version)
        await updateRole(em, role, { permissions })
      })
    await give(1, ['role:read'])
    const outcomes = await Promise.allSettled([give(1, ['role:create']), give(1, ['role:update'])])
    expect(outcomes.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected'])
    await expect(give(1, ['role:delete'])).rejects.toMatchObject({ name: 'OptimisticLockError' })
    await give(2, ['role:delete'])
  })

  test('nobody takes out of one what they couldn’t have put in', async () => {
    const firm = await company()
    await firm.as(undefined, async em => {
      await createRole(em, { key: 'CHAIR', name: 'C', permissions: ['organization:manage', 'role:read'] })
      await createRole(em, { key: 'DEPUTY', name: 'D', parent: 'CHAIR' })
    })
    const admin = await hire(firm, 'ADMIN')
    const change = async (actor: User | undefined, key: string, changes: RoleChanges) =>
      firm.as(actor, async em => updateRole(em, await roleOf(em, key), changes))
    const refused = (key: string, changes: RoleChanges) =>
      expect(change(admin, key, changes)).rejects.toMatchObject({ code: 'access.grant_exceeds_own' })
    await refused('CHAIR', { permissions: ['role:read'] })
    await refused('DEPUTY', { parent: null })
    await refused('DEPUTY', { parent: 'VIEWER' })
    await change(admin, 'CHAIR', { permissions: ['organization:manage'] })
    await change(undefined, 'DEPUTY', { parent: 'VIEWER' })
    await change(admin, 'DEPUTY', { parent: null })
  })

  test('nobody hands out what they may not do themselves', async () => {
    const firm = await company()
    await firm.as(undefined, em =>
      createRole(em, {
        key: 'HR',
        name: 'People',
        parent: 'VIEWER',
        permissions: ['invitation:manage', 'role:manage', 'user-permission:manage'],
      }),
    )
    const hr = await hire(firm, 'HR')
    const refused = (work: (em: ScopedEntityManager) => Promise<unknown>) =>
      expect(firm.as(hr, work)).rejects.toMatchObject({ code: 'access.grant_exceeds_own' })
    await refused(async em => inviteMember(em, { email: `${newId()}@example.com`, role: await roleOf(em, 'ADMIN') }))
    await refused(async em => changeRole(em, await membershipOf(em, hr), await roleOf(em, 'OWNER')))
    await refused(em => createRole(em, { key: 'SNEAK', name: 'S', parent: 'OWNER' }))
    await refused(em => createRole(em, { key: 'SNEAK', name: 'S', permissions: ['api-key:manage'] }))
    await refused(em => grantPermission(em, hr.id, 'api-key:create', 'ALLOW'))
    await refused(em => issueApiKey(em, { name: 'k', environment: 'LIVE', scopes: ['api-key:create'] }))
    await firm.as(hr, async em => inviteMember(em, { email: `${newId()}@example.com`, role: await roleOf(em, 'VIEWER') }))
  })
})
