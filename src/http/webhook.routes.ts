import type { FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { Value } from 'typebox/value'
import { systemActor } from '../context/index.ts'
import { receiveCall, WebhookRefusedError, WorkflowTrigger } from '../domain/automation/index.ts'
import { assertStripeSignature, billingEventStatuses, OrganizationUnknownError, receiveStripeEvent } from '../domain/billing/index.ts'
import { organizationIn } from '../domain/billing/internal.ts'
import { assertServedHere, Organization } from '../domain/organizations/index.ts'
import { isServedHere, ownOrganization } from '../domain/organizations/internal.ts'
import { now } from '../kernel/clock.ts'
import { isTooDeep } from '../kernel/json-depth.ts'
import type { App } from './app.ts'
import { exactly, idField, oneOf } from './fields.ts'
import { hostOf } from './host-state.ts'
import { RequestInvalidError } from './http.errors.ts'
import type { PluginOptions } from './options.ts'
import { storyOf } from './request-story.ts'
import { tooDeep } from './validation.ts'
import { fromOutside } from './in-tenant.ts'

const seconds = () => Type.Integer({ minimum: 0, maximum: 32_503_680_000 })
const maybeSeconds = () => Type.Optional(Type.Union([seconds(), Type.Null()]))
const period = { current_period_start: Type.Optional(seconds()), current_period_end: Type.Optional(seconds()) }
const named = () => Type.String({ minLength: 1, maxLength: 500 })

/** As much of an event as is read. Stripe tells more, and more every year. */
const StripeEventShape = Type.Object({
  id: named(),
  type: named(),
  created: seconds(),
  data: Type.Object({ object: Type.Object({ metadata: Type.Optional(Type.Record(Type.String(), Type.String())) }) }),
})
const SubscriptionShape = Type.Object({
  id: named(),
  created: Type.Optional(seconds()),
  customer: Type.Optional(named()),
  status: named(),
  ...period,
  cancel_at: maybeSeconds(),
  trial_end: maybeSeconds(),
  metadata: Type.Optional(Type.Object({ plan: Type.Optional(Type.String()), organization: Type.Optional(Type.String()) })),
  items: Type.Optional(
    Type.Object({ data: Type.Array(Type.Object({ price: Type.Optional(Type.Object({ id: Type.Optional(named()) })), ...period })) }),
  ),
})
const SubscriptionEventShape = Type.Object({ ...StripeEventShape.properties, data: Type.Object({ object: SubscriptionShape }) })

const takenAnswer = exactly({ event: Type.Union([idField(), Type.Null()]), status: oneOf([...billingEventStatuses]) })
const callParams = exactly({ organization: idField(), id: idField() })
const callHeaders = Type.Object({ 'webhook-id': Type.Optional(Type.String({ maxLength: 200 })) })

const signed = (description: string) => ({
  types: ['application/json'],
  schema: { type: 'object', additionalProperties: true, description },
})
const open = { access: 'public', anySite: true } as const

/** Stripe has no credential here: it is believed by its signature, over the body as it came. So is whoever calls a trigger. */
export function stripeRoutes(app: App, { stripeSecrets = [] }: Pick<PluginOptions, 'stripeSecrets'>): void {
  const { database } = hostOf(app)

  app.post(
    '/webhooks/stripe',
    {
      config: { ...open, requestBody: signed('An event of Stripe’s.') },
      schema: {
        summary: 'take in an event of Stripe’s',
        description:
          'Signed by `Stripe-Signature`. Whose it is says `metadata.organization` of its subscription. The same event again changes nothing.',
        response: { 200: takenAnswer },
      },
    },
    async request => {
      const body = textOf(request)
      assertStripeSignature(body, String(request.headers['stripe-signature'] ?? ''), stripeSecrets, now())
      const event = jsonIn(body)
      if (!Value.Check(StripeEventShape, event)) throw notStripes()
      // Of what else Stripe tells, nothing is needed.
      if (!event.type.startsWith('customer.subscription.')) return { event: null, status: 'IGNORED' as const }
      if (!Value.Check(SubscriptionEventShape, event)) throw notStripes()
      const tenant = organizationIn(event)
      if (!tenant) throw new OrganizationUnknownError()
      const scope = { tenant, actor: systemActor('stripe'), reason: event.type, ...storyOf(request.id, request.headers) }
      const receive = () =>
        database.transact(scope, async em => {
          const organization = await em.findOne(Organization, tenant)
          if (!organization) throw new OrganizationUnknownError()
          assertServedHere(organization, database.region)
          const { id, status } = await receiveStripeEvent(em, event)
          return { event: id, status }
        })
      return fromOutside(request, tenant, receive)
    },
  )
}

export function triggerRoutes(app: App): void {
  const { database } = hostOf(app)

  app.post(
    '/webhooks/triggers/:organization/:id',
    {
      config: { ...open, requestBody: signed('Whatever the automation is to work with.') },
      schema: {
        summary: 'call a trigger',
        description: 'Signed as Standard Webhooks has it. What was started is started once for each `webhook-id`.',
        params: callParams,
        headers: callHeaders,
        response: { 202: exactly({ execution: idField() }) },
      },
    },
    async (request, reply) => {
      const { params, headers } = request
      const body = textOf(request)
      const scope = { tenant: params.organization.toLowerCase(), actor: systemActor('webhook'), ...storyOf(request.id, headers) }
      const receive = () =>
        database.transact(scope, async em => {
          const organization = await ownOrganization(em)
          const isOpen = organization?.isServed() && isServedHere(organization, database.region)
          const trigger = isOpen ? await em.findOne(WorkflowTrigger, params.id.toLowerCase(), { populate: ['automation'] }) : null
          // The same for what isn't there, what doesn't listen, and what belongs to others.
          if (!trigger) throw new WebhookRefusedError('nothing listens here')
          return receiveCall(em, trigger.automation.$, { body, headers, trigger })
        })
      const execution = await fromOutside(request, scope.tenant, receive)
      return reply.code(202).send({ execution: execution.id })
    },
  )
}

function textOf({ body }: FastifyRequest): string {
  const text = typeof body === 'string' ? body : ''
  if (isTooDeep(text)) throw tooDeep()
  return text
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw notStripes()
  }
}

function notStripes(): RequestInvalidError {
  return new RequestInvalidError([{ pointer: '#', detail: 'is not an event as Stripe tells it', in: 'body' }])
}
