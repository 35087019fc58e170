import { type TSchema, Type } from 'typebox'
import {
  grantPermission,
  grantRole,
  Membership,
  permissionEffects,
  revokePermission,
  revokeRole,
  Role,
  RolePermission,
  UserPermission,
  UserRole,
} from '../../../domain/access/index.ts'
import { TokenCount } from '../../../domain/agents/index.ts'
import {
  BillingEvent,
  Plan,
  QuotaCounter,
  quotas,
  Subscription,
  UsageEvent,
  usageMetrics,
  useQuota,
} from '../../../domain/billing/index.ts'
import {
  clearSetting,
  createEndpoint,
  dropOldSecret,
  keepDeletedDays,
  keepFinishedDays,
  listenFor,
  putSetting,
  resendDead,
  rotateEndpointSecret,
  type Setting,
  settingOf,
  SystemSetting,
  testEndpoint,
  WebhookDelivery,
  WebhookEndpoint,
} from '../../../domain/system/index.ts'
import { now } from '../../../kernel/clock.ts'
import type { ScopedEntityManager } from '../../../orm/index.ts'
import { exactly, idField, nameField, nullable, oneOf, permissionField } from '../../fields.ts'
import { ReferenceUnknownError } from '../../http.errors.ts'
import { momentField } from '../fields.ts'
import { found } from '../found.ts'
import { action, asked, creation, resource, sent } from '../resource.ts'

const events = () => Type.Array(Type.String({ maxLength: 200 }), { minItems: 1, maxItems: 100 })
const endpointBody = exactly({ url: Type.String({ minLength: 1, maxLength: 2_000 }), events: events() })

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

const quota = exactly({ used: Type.Integer(), limit: nullable(Type.Integer()), resetAt: Type.String({ format: 'date-time' }) })
const useBody = exactly({
  metric: oneOf([...usageMetrics]),
  quantity: Type.Optional(Type.Integer({ minimum: 1, maximum: 2 ** 31 - 1 })),
  requestId: Type.String({ minLength: 1, maxLength: 200 }),
  route: Type.Optional(nameField()),
  durationMs: Type.Optional(Type.Integer({ minimum: 0, maximum: 2 ** 31 - 1 })),
  status: Type.Optional(Type.Integer({ minimum: 100, maximum: 599 })),
})
const plan = exactly({ key: Type.String(), name: Type.String(), limits: Type.Unknown(), prices: Type.Unknown() })

/** What an organization can set. */
const settings: readonly Setting[] = [keepDeletedDays, keepFinishedDays]
const settingKey = oneOf(settings.map(({ key }) => key))
const settingNamed = (key: string) => settings.find(each => each.key === key)!
const settingAnswer: TSchema = exactly({ key: Type.String(), value: Type.Unknown() })
const shownSetting = async (em: ScopedEntityManager, setting: Setting) => ({ key: setting.key, value: await settingOf(em, setting) })

/** What is counted, billed, granted and set. */
export const platform = [
  resource(Subscription, {
    together: {
      plans: asked(exactly({}), exactly({ items: Type.Array(plan) }), async ({ em }) => ({
        items: (await em.find(Plan, {}, { orderBy: { id: 'asc' } })).map(({ key, name, limits, prices }) => ({
          key,
          name,
          limits,
          prices,
        })),
      })),
    },
    actions: { 'cancel-at-period-end': action('manage', (_work, subscription: Subscription) => subscription.cancelAtPeriodEnd()) },
  }),
  resource(UsageEvent, {
    reserved: { metadata: 'manage' },
    together: {
      use: sent('create', useBody, quota, async ({ em }, use) => {
        const { used, limit = null, resetAt } = await useQuota(em, use)
        return { used, limit, resetAt: resetAt.toISOString() }
      }),
    },
  }),
  resource(QuotaCounter, {
    together: {
      current: asked(
        exactly({}),
        exactly({ items: Type.Array(exactly({ metric: oneOf([...usageMetrics]), ...quota.properties })) }),
        async ({ em }) => ({
          items: (await quotas(em)).map(({ metric, used, limit = null, resetAt }) => ({
            metric,
            used,
            limit,
            resetAt: resetAt.toISOString(),
          })),
        }),
      ),
    },
  }),
  resource(BillingEvent, { reserved: { payload: 'manage' } }),
  resource(TokenCount),
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
  resource(SystemSetting, {
    together: {
      current: asked(exactly({}), exactly({ items: Type.Array(settingAnswer) }), async ({ em }) => {
        const items: object[] = []
        for (const setting of settings) items.push(await shownSetting(em, setting))
        return { items }
      }),
      put: sent('manage', exactly({ key: settingKey, value: Type.Unknown() }), settingAnswer, async ({ em }, { key, value }) => {
        await putSetting(em, settingNamed(key), value)
        await em.flush()
        return shownSetting(em, settingNamed(key))
      }),
      clear: sent('manage', exactly({ key: settingKey }), settingAnswer, async ({ em }, { key }) => {
        await clearSetting(em, settingNamed(key))
        await em.flush()
        return shownSetting(em, settingNamed(key))
      }),
    },
  }),
  resource(WebhookEndpoint, {
    create: creation(endpointBody, async ({ em }, body) => {
      const { endpoint: row, secret } = await createEndpoint(em, body)
      return { row, secrets: { secret } }
    }),
    remove: true,
    actions: {
      'listen-for': action('update', exactly({ events: events() }), (_work, endpoint: WebhookEndpoint, body) =>
        listenFor(endpoint, body.events),
      ),
      enable: action('update', (_work, endpoint: WebhookEndpoint) => endpoint.enable()),
      disable: action('update', (_work, endpoint: WebhookEndpoint) => endpoint.disable(now())),
      'rotate-secret': {
        permission: 'manage',
        answer: exactly({ secret: Type.String() }),
        isSecret: true,
        run: async ({ em }, endpoint: WebhookEndpoint) => ({ secret: await rotateEndpointSecret(em, endpoint) }),
      },
      test: {
        permission: 'update',
        answer: exactly({ delivery: idField() }),
        run: async ({ em }, endpoint: WebhookEndpoint) => ({ delivery: (await testEndpoint(em, endpoint)).id }),
      },
      'resend-dead': {
        permission: 'update',
        answer: exactly({ resent: Type.Integer() }),
        run: async ({ em }, endpoint: WebhookEndpoint) => ({ resent: await resendDead(em, endpoint) }),
      },
      'drop-old-secret': action('manage', (_work, endpoint: WebhookEndpoint) => dropOldSecret(endpoint)),
    },
  }),
  resource(WebhookDelivery, { actions: { resend: action('update', (_work, delivery: WebhookDelivery) => delivery.resend(now())) } }),
]
