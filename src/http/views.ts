import { Type } from 'typebox'
import type { ApiKey, Invitation, Membership, Role } from '../domain/access/index.ts'
import type { User } from '../domain/identity/index.ts'
import type { Organization } from '../domain/organizations/index.ts'
import { exactly, nullable } from './fields.ts'

/**
 * What leaves the house. An answer is built field by field and serialised by its schema, so a column that an entity gains later stays
 * inside until somebody lets it out here.
 */
const text = Type.String()
const optionalText = nullable(text)
export const instant = (at: Date) => at.toISOString()
export const instantOrNull = (at: Date | null | undefined) => (at ? instant(at) : null)

export const userAnswer = exactly({ id: text, email: text, name: optionalText, image: optionalText, locale: text })

export function userView({ id, email, name, image, locale }: User) {
  return { id, email, name: name ?? null, image: image ?? null, locale }
}

/** A person about themself. */
export const ownUserAnswer = exactly({
  ...userAnswer.properties,
  timeZone: text,
  emailVerifiedAt: optionalText,
  lastLoginAt: optionalText,
})

export function ownUserView(user: User) {
  return {
    ...userView(user),
    timeZone: user.timeZone,
    emailVerifiedAt: instantOrNull(user.emailVerified),
    lastLoginAt: instantOrNull(user.lastLoginAt),
  }
}

export const organizationAnswer = exactly({
  id: text,
  slug: text,
  name: text,
  plan: text,
  status: text,
  dataRegion: text,
  defaultLocale: text,
  quotaResetAt: nullable(Type.String({ description: 'When what its plan allows begins again, where that is known.' })),
  createdAt: text,
})

export function organizationView(organization: Organization) {
  const { id, slug, name, plan, status, dataRegion, defaultLocale, quotaResetAt, createdAt } = organization
  const moments = { quotaResetAt: instantOrNull(quotaResetAt), createdAt: instant(createdAt) }
  return { id, slug, name, plan, status, dataRegion, defaultLocale, ...moments }
}

const roleNameAnswer = exactly({ id: text, key: text, name: text })
const roleNameView = ({ id, key, name }: Role) => ({ id, key, name })

export const memberAnswer = exactly({
  id: text,
  user: userAnswer,
  role: roleNameAnswer,
  status: text,
  joinedAt: text,
  version: Type.Integer(),
})

/** Needs `user` and `role` loaded. */
export function memberView({ id, user, role, status, joinedAt, version }: Membership) {
  return { id, user: userView(user.getEntity()), role: roleNameView(role.getEntity()), status, joinedAt: instant(joinedAt), version }
}

export const invitationAnswer = exactly({
  id: text,
  email: text,
  role: roleNameAnswer,
  status: text,
  invitedBy: optionalText,
  expiresAt: text,
  createdAt: text,
})

/** Needs `role` loaded. */
export function invitationView({ id, email, role, status, invitedBy, expiresAt, createdAt }: Invitation) {
  return {
    id,
    email,
    role: roleNameView(role.getEntity()),
    status,
    invitedBy: invitedBy?.id ?? null,
    expiresAt: instant(expiresAt),
    createdAt: instant(createdAt),
  }
}

export const roleAnswer = exactly({
  ...roleNameAnswer.properties,
  description: optionalText,
  parent: optionalText,
  isSystem: Type.Boolean(),
  permissions: Type.Array(text),
  version: Type.Integer(),
})

/** Needs `permissions.permission` loaded. The role's own permissions, without those of its parent. */
export function roleView(role: Role) {
  return {
    ...roleNameView(role),
    description: role.description ?? null,
    parent: role.parent?.id ?? null,
    isSystem: role.isSystem,
    permissions: role.permissions
      .getItems()
      .map(({ permission }) => permission.getEntity().key)
      .toSorted(),
    version: role.version,
  }
}

export const apiKeyAnswer = exactly({
  id: text,
  name: text,
  environment: text,
  prefix: text,
  scopes: Type.Array(text),
  createdBy: optionalText,
  rotatedFrom: optionalText,
  expiresAt: optionalText,
  lastUsedAt: optionalText,
  revokedAt: optionalText,
  createdAt: text,
})

export function apiKeyView(key: ApiKey) {
  const { id, name, environment, prefix, scopes } = key
  return {
    id,
    name,
    environment,
    prefix,
    scopes,
    createdBy: key.createdBy?.id ?? null,
    rotatedFrom: key.rotatedFrom?.id ?? null,
    expiresAt: instantOrNull(key.expiresAt),
    lastUsedAt: instantOrNull(key.lastUsedAt),
    revokedAt: instantOrNull(key.revokedAt),
    createdAt: instant(key.createdAt),
  }
}
