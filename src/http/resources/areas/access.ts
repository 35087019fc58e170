import { Type } from 'typebox'
import {
  ApiKey,
  grantPermission,
  grantRole,
  Invitation,
  Membership,
  permissionEffects,
  revokePermission,
  revokeRole,
  Role,
  RolePermission,
  UserPermission,
  UserRole,
} from '../../../domain/access/index.ts'
import type { ScopedEntityManager } from '../../../orm/index.ts'
import { exactly, idField, oneOf, permissionField } from '../../fields.ts'
import { ReferenceUnknownError } from '../../http.errors.ts'
import { momentField } from '../fields.ts'
import { found } from '../found.ts'
import { creation, resource } from '../resource.ts'

const expiry = { expiresAt: Type.Optional(momentField()) }
const until = ({ expiresAt }: { readonly expiresAt?: string }) => (expiresAt === undefined ? {} : { expiresAt: new Date(expiresAt) })
const rolesBody = exactly({
  user: idField(),
  role: idField(),
  subject: Type.Optional(exactly({ type: Type.String({ pattern: '^[a-z][a-z0-9-]*$', maxLength: 100 }), id: idField() })),
  ...expiry,
})
const permissionsBody = exactly({ user: idField(), permission: permissionField(), effect: oneOf([...permissionEffects]), ...expiry })

/** Permissions are given to members, and to nobody else. */
async function memberIn(em: ScopedEntityManager, user: string): Promise<string> {
  const membership = await em.findOne(Membership, { user: user.toLowerCase(), status: { $ne: 'LEFT' } })
  if (!membership) throw new ReferenceUnknownError('member')
  return membership.user.id
}

/** What is granted to members, besides what their membership's roles give; and what everything here was. */
export const access = [
  resource(Membership, { path: 'members', isOnlyPast: true }),
  resource(Invitation, { isOnlyPast: true }),
  resource(Role, { isOnlyPast: true }),
  resource(ApiKey, { isOnlyPast: true }),
  resource(RolePermission),
  resource(UserRole, {
    create: creation(rolesBody, async ({ em }, { user, role, subject, ...body }) => {
      const to = await memberIn(em, user)
      return grantRole(em, to, await found(em, Role, role), { ...until(body), ...(subject && { subject }) })
    }),
    remove: false,
    actions: {
      revoke: {
        permission: 'delete',
        answer: exactly({ revoked: idField() }),
        run: async ({ em }, granted: UserRole) => {
          await revokeRole(em, granted)
          return { revoked: granted.id }
        },
      },
    },
  }),
  resource(UserPermission, {
    create: creation(permissionsBody, async ({ em }, { user, permission, effect, ...body }) =>
      grantPermission(em, await memberIn(em, user), permission, effect, until(body)),
    ),
    remove: false,
    actions: {
      revoke: {
        permission: 'delete',
        answer: exactly({ revoked: idField() }),
        run: async ({ em }, granted: UserPermission) => {
          await revokePermission(em, granted)
          return { revoked: granted.id }
        },
      },
    },
  }),
]
