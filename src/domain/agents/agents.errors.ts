import { DaybookError } from '../../kernel/error.ts'

export class ProviderAddressError extends DaybookError {
  readonly code = 'agents.provider_address'

  constructor(provider: string) {
    super(`The address of a provider ${provider} has to be an https URL; only a LOCAL one may be http.`, { provider })
  }
}

export class ProviderSecretMissingError extends DaybookError {
  readonly code = 'agents.provider_secret_missing'

  constructor(provider: string) {
    super(`Provider ${provider} has no key. Give it one first.`, { provider })
  }
}

export class TokenLimitError extends DaybookError {
  readonly code = 'agents.token_limit'

  constructor(provider: string, limit: number) {
    super(`The ${limit} tokens a month of provider ${provider} don't suffice for this. Raise the limit, or wait for the next month.`, {
      provider,
      limit,
    })
  }
}

export class AgentInactiveError extends DaybookError {
  readonly code = 'agents.inactive'

  constructor(agent: string) {
    super(`Agent ${agent} is not active, so it decides nothing, and nothing is done for it. Activate it first.`, { agent })
  }
}

export class AgentImpersonatedError extends DaybookError {
  readonly code = 'agents.impersonated'

  constructor(agent: string) {
    super(`Only agent ${agent} itself can decide as it. Open the scope with agentActor(agent).`, { agent })
  }
}

export class AgentRateLimitError extends DaybookError {
  readonly code = 'agents.rate_limit'

  constructor(agent: string, limit: number) {
    super(`Agent ${agent} has decided ${limit} times within the last hour, which is as often as it may. Wait, or raise its limit.`, {
      agent,
      limit,
    })
  }
}

export class ToolNotAllowedError extends DaybookError {
  readonly code = 'agents.tool_not_allowed'

  constructor(agent: string, tools: readonly string[]) {
    super(`Agent ${agent} may not use ${tools.join(', ')}. Add them to its tools if it should.`, { agent, tools })
  }
}

export class ToolUnknownError extends DaybookError {
  readonly code = 'agents.tool_unknown'

  constructor(tool: string) {
    super(`There is no tool ${tool} here, so the decision can't be carried out. Pass one under this name.`, { tool })
  }
}

export class ApprovalNeededError extends DaybookError {
  readonly code = 'agents.approval_needed'

  constructor(decision: string) {
    super(`Decision ${decision} waits for approval: approve it, which carries it out, or reject it.`, { decision })
  }
}

export class NoApprovalNeededError extends DaybookError {
  readonly code = 'agents.no_approval_needed'

  constructor(decision: string) {
    super(`Decision ${decision} needs nobody's approval. Carry it out, or override it.`, { decision })
  }
}
