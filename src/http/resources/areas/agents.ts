import { Type } from 'typebox'
import {
  AgentDecision,
  AIProviderConfig,
  aiProviders,
  configureProvider,
  makeDefault,
  OrchestrationAgent,
  rejectDecision,
  replaceProviderSecret,
  TokenCount,
} from '../../../domain/agents/index.ts'
import { exactly, nameField, oneOf } from '../../fields.ts'
import { action, creation, resource } from '../resource.ts'

const secret = () => Type.String({ minLength: 8, maxLength: 4_000 })
const share = () => Type.Number({ minimum: 0, maximum: 1 })

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
      reject: action(
        'approve',
        exactly({ rationale: Type.String({ minLength: 1, maxLength: 4_000 }) }),
        ({ em }, decision: AgentDecision, verdict) => rejectDecision(em, decision, verdict),
      ),
    },
  }),
  resource(TokenCount),
]
