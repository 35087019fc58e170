import { Type } from 'typebox'
import { RolePermission, UserPermission, UserRole } from '../../../domain/access/index.ts'
import { BillingEvent, QuotaCounter, Subscription, UsageEvent } from '../../../domain/billing/index.ts'
import { TokenCount } from '../../../domain/agents/index.ts'
import {
  createEndpoint,
  dropOldSecret,
  listenFor,
  OutboxMessage,
  rotateEndpointSecret,
  SystemSetting,
  WebhookDelivery,
  WebhookEndpoint,
} from '../../../domain/system/index.ts'
import { now } from '../../../kernel/clock.ts'
import { exactly } from '../../fields.ts'
import { action, creation, resource } from '../resource.ts'

const events = () => Type.Array(Type.String({ maxLength: 200 }), { minItems: 1, maxItems: 100 })
const endpointBody = exactly({ url: Type.String({ minLength: 1, maxLength: 2_000 }), events: events() })

/** What is counted, billed, granted and set. */
export const platform = [
  resource(Subscription),
  resource(UsageEvent, { reserved: { metadata: 'manage' } }),
  resource(QuotaCounter),
  resource(BillingEvent, { reserved: { payload: 'manage' } }),
  resource(TokenCount),
  resource(RolePermission),
  resource(UserRole),
  resource(UserPermission),
  resource(SystemSetting),
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
      'drop-old-secret': action('manage', (_work, endpoint: WebhookEndpoint) => dropOldSecret(endpoint)),
    },
  }),
  resource(WebhookDelivery, { actions: { resend: action('update', (_work, delivery: WebhookDelivery) => delivery.resend(now())) } }),
  resource(OutboxMessage, {
    reserved: { payload: 'manage', error: 'manage', lockedBy: 'manage' },
    actions: { redeliver: action('update', (_work, message: OutboxMessage) => message.redeliver(now())) },
  }),
]
