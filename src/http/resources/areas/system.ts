import { type TSchema, Type } from 'typebox'
import {
  clearSetting,
  createEndpoint,
  dropOldSecret,
  keepDeletedDays,
  keepFinishedDays,
  keepSentDays,
  listenFor,
  OutboxMessage,
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
import { exactly, idField, oneOf } from '../../fields.ts'
import { requireReaderOfLog } from '../listening.ts'
import { action, asked, creation, resource, sent } from '../resource.ts'

const events = () => Type.Array(Type.String({ maxLength: 200 }), { minItems: 1, maxItems: 100 })
const endpointBody = exactly({ url: Type.String({ minLength: 1, maxLength: 2_000 }), events: events() })

/** What an organization can set. */
const settings: readonly Setting[] = [keepDeletedDays, keepFinishedDays, keepSentDays]
const settingKey = oneOf(settings.map(({ key }) => key))
const settingNamed = (key: string) => settings.find(each => each.key === key)!
const settingAnswer: TSchema = exactly({ key: Type.String(), value: Type.Unknown() })
const shownSetting = async (em: ScopedEntityManager, setting: Setting) => ({ key: setting.key, value: await settingOf(em, setting) })

export const system = [
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
    // Whoever takes such calls often has a secret in their address.
    reserved: { url: 'manage' },
    listens: (_work, { isActive }) => isActive,
    create: creation(
      endpointBody,
      async (work, body) => {
        await requireReaderOfLog(work)
        const { endpoint: row, secret } = await createEndpoint(work.em, body)
        return { row, secrets: { secret } }
      },
      ['secret'],
    ),
    remove: true,
    actions: {
      'listen-for': action('update', exactly({ events: events() }), async (work, endpoint: WebhookEndpoint, body) => {
        await requireReaderOfLog(work)
        listenFor(endpoint, body.events)
      }),
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
  resource(OutboxMessage, {
    reserved: { payload: 'manage', error: 'manage', lockedBy: 'manage' },
    actions: { redeliver: action('update', (_work, message: OutboxMessage) => message.redeliver(now())) },
  }),
]
