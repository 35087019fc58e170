/**
 * Agents: what decides by asking a model. A provider says which model and with which key, sealed, and how many tokens a month; an agent says
 * what it may do, how sure it must be and how much it may risk. What it decides is a decision in the log; where it is unsure a person has to
 * agree first, and everything that is done for a decision points back to it, so whoever overrides one can take all of it back.
 */
export {
  type AgentAction,
  AgentDecision,
  AgentDecisionSchema,
  type AgentDecisionStatus,
  agentDecisionStatuses,
  agentDecisionTransitions,
} from './agent-decision.entity.ts'
export {
  AgentImpersonatedError,
  AgentInactiveError,
  AgentRateLimitError,
  ApprovalNeededError,
  NoApprovalNeededError,
  ProviderAddressError,
  ProviderSecretMissingError,
  TokenLimitError,
  ToolNotAllowedError,
  ToolUnknownError,
} from './agents.errors.ts'
export {
  type AIProvider,
  AIProviderConfig,
  AIProviderConfigSchema,
  aiProviders,
  TokenCount,
  TokenCountSchema,
} from './ai-provider-config.entity.ts'
export { type AgentDecisionInput, decideAsAgent } from './decide-as-agent.ts'
export {
  approveDecision,
  executeDecision,
  type Override,
  overrideDecision,
  rejectDecision,
  type Tool,
  type Tools,
} from './execute-decision.ts'
export { OrchestrationAgent, OrchestrationAgentSchema } from './orchestration-agent.entity.ts'
export {
  configureProvider,
  makeDefault,
  type ProviderInput,
  providerSecretOf,
  replaceProviderSecret,
  settleTokens,
  type TokenSettlement,
  type TokensLeft,
  useTokens,
} from './providers.ts'
export { taskTools } from './task-tools.ts'
