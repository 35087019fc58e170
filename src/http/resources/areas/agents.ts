import { type Static, Type } from 'typebox'
import {
  AgentDecision,
  AIProviderConfig,
  aiProviders,
  approveDecision,
  configureProvider,
  executeDecision,
  makeDefault,
  OrchestrationAgent,
  overrideDecision,
  rejectDecision,
  replaceProviderSecret,
  settleTokens,
  TokenCount,
  useTokens,
} from '../../../domain/agents/index.ts'
import { AuditEvent } from '../../../audit/index.ts'
import { exactly, nameField, nullable, oneOf } from '../../fields.ts'
import { ResourceNotFoundError } from '../../http.errors.ts'
import type { Work } from '../../in-tenant.ts'
import { subjectOf } from '../subject.ts'
import { action, creation, resource } from '../resource.ts'

const secret = () => Type.String({ minLength: 8, maxLength: 4_000 })
const share = () => Type.Number({ minimum: 0, maximum: 1 })

const tokens = () => Type.Integer({ minimum: 0, maximum: 1_000_000_000_000 })
const rationale = () => Type.String({ minLength: 1, maxLength: 4_000 })
const verdict = exactly({ rationale: rationale() })

const override = exactly({
  outcome: Type.Record(Type.String(), Type.Unknown()),
  rationale: rationale(),
  undo: Type.Optional(
    Type.Boolean({
      description: 'Takes back all that it did, for who manages all of that, or refuses where a later change would be lost.',
    }),
  ),
})

/** What the decision was about, as the log knows it. */
async function decidedAbout(work: Work, { eventId }: AgentDecision) {
  const event = await work.em.findOne(AuditEvent, { id: eventId }, { disableIdentityMap: true })
  if (!event?.entity || !event.entityId) throw new ResourceNotFoundError('event')
  return subjectOf(work, event.entity, event.entityId)
}

const providerBody = exactly({
  name: nameField(),
  provider: oneOf([...aiProviders]),
  model: nameField(),
  secret: Type.Optional(secret()),
  baseUrl: Type.Optional(Type.String({ maxLength: 2_000 })),
  isDefault: Type.Optional(Type.Boolean()),
  monthlyTokenLimit: Type.Optional(Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })),
})

export const agents = [
  resource(AIProviderConfig, {
    write: ['name', 'model', 'monthlyTokenLimit'],
    create: creation(providerBody, ({ em }, body) => configureProvider(em, body)),
    actions: {
      'make-default': action('update', ({ em }, config: AIProviderConfig) => makeDefault(em, config)),
      'replace-secret': action('update', exactly({ secret: secret() }), ({ em }, config: AIProviderConfig, body) =>
        replaceProviderSecret(em, config, body.secret),
      ),
      'use-tokens': {
        permission: 'update',
        body: exactly({ tokens: tokens() }),
        answer: exactly({ used: Type.Integer(), left: nullable(Type.Integer()) }),
        run: async ({ em }, config: AIProviderConfig, body: { tokens: number }) => {
          const { used, left = null } = await useTokens(em, config, body.tokens)
          return { used, left }
        },
      },
      'settle-tokens': action('update', exactly({ counted: tokens(), used: tokens() }), ({ em }, config: AIProviderConfig, body) =>
        settleTokens(em, config, body),
      ),
    },
  }),
  resource(OrchestrationAgent, {
    write: ['name', 'instructions', 'providerConfig', 'temperature', 'tools', 'rateLimit', 'minConfidence', 'maxRisk'],
    inputs: {
      name: nameField(),
      tools: Type.Array(nameField(), { maxItems: 100 }),
      temperature: Type.Number({ minimum: 0, maximum: 2 }),
      minConfidence: share(),
      maxRisk: share(),
    },
    actions: {
      activate: action('update', (_work, agent: OrchestrationAgent) => agent.activate()),
      deactivate: action('update', (_work, agent: OrchestrationAgent) => agent.deactivate()),
    },
  }),
  resource(AgentDecision, {
    reserved: { input: 'approve' },
    actions: {
      approve: action('approve', verdict, ({ em, tools }, decision: AgentDecision, body) => approveDecision(em, decision, body, tools)),
      reject: action('approve', verdict, ({ em }, decision: AgentDecision, body) => rejectDecision(em, decision, body)),
      execute: action('approve', ({ em, tools }, decision: AgentDecision) => executeDecision(em, decision, tools)),
      override: {
        ...action('approve', override, async (work, decision: AgentDecision, body) =>
          overrideDecision(work.em, decision, { ...body, subject: await decidedAbout(work, decision) }),
        ),
        undoesDecision: ({ eventId }: AgentDecision, { undo }: Static<typeof override>) => (undo ? eventId : undefined),
      },
    },
  }),
  resource(TokenCount),
]
