import { Type } from 'typebox'
import {
  createEndpoint,
  dropOldSecret,
  listenFor,
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

export const system = [
  resource(SystemSetting),
  resource(WebhookEndpoint, {
    create: creation(
      endpointBody,
      async ({ em }, body) => {
        const { endpoint: row, secret } = await createEndpoint(em, body)
        return { row, secrets: { secret } }
      },
      ['secret'],
    ),
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
]
