import {
  acceptInvitation,
  activateTenant,
  assertCan,
  authenticateApiKey,
  authenticateSession,
  can,
  changePassword,
  changeRole,
  confirmPassword,
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
  Membership,
  openSession,
  organizationsOf,
  permissionKeysOf,
  quotas,
  reactivateMember,
  registerOrganization,
  rejectInvitation,
  removeMember,
  requestEmailVerification,
  requestPasswordReset,
  resetPassword,
  Role,
  revokeApiKey,
  revokePermission,
  revokeRole,
  rotateApiKey,
  signIn,
  signOut,
  signOutEverywhere,
  suspendMember,
  updateRole,
  User,
  verifyEmail,
} from '../../../src/entities.ts'
import { actorMay } from '../../../src/domain/access/own-permissions.ts'
import type { Calls } from './world.ts'

const newcomer = 'newcomer@example.com'

export const aboutPeople: Calls = {
  async 'signing in and out'({ daybook, tenant, owner, password }) {
    const { user, token } = (await signIn(daybook, { email: 'demo@example.com', password }))!
    const { session } = (await authenticateSession(daybook, token))!
    await activateTenant(daybook, session, tenant)
    await organizationsOf(daybook, owner)
    await confirmPassword(daybook, user, password)
    await signOut(daybook, token)
    await openSession(daybook, user)
    await signOutEverywhere(daybook, owner)
  },

  async 'a new password and a proven address'({ daybook, owner, password }) {
    await changePassword(daybook, { userId: owner, current: password, password: `${password}, changed` })
    const { user, token } = (await requestPasswordReset(daybook, { email: 'demo@example.com' }))!
    await resetPassword(daybook, { token, password })
    await verifyEmail(daybook, await requestEmailVerification(daybook, user))
  },

  async 'inviting somebody'(world) {
    const { daybook } = world
    const invite = (email: string) =>
      world.work(async em => inviteMember(em, { email, role: await em.findOneOrFail(Role, { key: 'VIEWER' }) }))
    await acceptInvitation(daybook, { token: (await invite(newcomer)).token, password: 'a long sentence of theirs', name: 'New Comer' })
    await rejectInvitation(daybook, (await invite('another@example.com')).token)
  },

  async 'members and their roles'(world) {
    const member = await world.work(em => em.findOneOrFail(Membership, { user: { email: 'vera@example.com' } }, { populate: ['user'] }))
    const person = member.user.id
    await world.work(async em => {
      const [membership, role] = [await em.findOneOrFail(Membership, member.id), await em.findOneOrFail(Role, { key: 'MEMBER' })]
      await changeRole(em, membership, role)
      await suspendMember(em, membership)
      await em.flush()
      await reactivateMember(em, membership)
      const granted = await grantRole(em, person, role)
      const allowed = await grantPermission(em, person, 'task:delete', 'ALLOW')
      await grantPermission(em, person, 'task:approve', 'DENY')
      await em.flush()
      await can(em, person, 'task:delete')
      await explain(em, person, 'task:delete')
      await assertCan(em, person, 'task:delete')
      await actorMay(em, 'task:delete')
      await getUserPermissions(em, person)
      await revokeRole(em, granted)
      await revokePermission(em, allowed)
      await quotas(em)
      await removeMember(em, membership)
    })
  },

  'roles of one’s own': world =>
    world.work(async em => {
      await ensureBuiltinRoles(em)
      const role = await createRole(em, { key: 'REVIEWER', name: 'Reviewer', parent: 'VIEWER', permissions: ['task:read'] })
      await updateRole(em, role, { permissions: ['task:read', 'task:update'] })
      await em.flush()
      await inherit(em, role, await em.findOneOrFail(Role, { key: 'CLIENT' }))
      await permissionKeysOf(em, role)
      await em.flush()
      await deleteRole(em, role)
    }),

  async 'keys of programs'(world) {
    const { apiKey, secret } = await world.work(em => issueApiKey(em, { name: 'A program', environment: 'LIVE', scopes: ['task:read'] }))
    await authenticateApiKey(world.daybook, secret)
    await world.work(em => rotateApiKey(em, apiKey))
    await world.work(em => revokeApiKey(em, apiKey))
  },

  async 'a new organization'({ daybook }) {
    const organization = { name: 'Another one' }
    await registerOrganization(daybook, { email: 'another.one@example.com', password: 'a long sentence of theirs', organization })
  },

  'people by their address': world => world.work(em => em.findOne(User, { email: newcomer })),
}
