import { type EntitySchema, type Opt, p, type Ref } from '@mikro-orm/core'
import { tenantEntity, TenantRow } from '../../orm/index.ts'
import { ToolNotAllowedError } from './agents.errors.ts'
import { AIProviderConfig } from './ai-provider-config.entity.ts'

/** Something that decides by asking a model, within the limits that people have set for it. */
export class OrchestrationAgent extends TenantRow {
  declare name: string
  declare instructions: string
  /** The organization's default where there is none. */
  declare providerConfig?: Ref<AIProviderConfig> | null
  declare temperature: Opt<number>
  /** The names of what it may do. */
  declare tools: Opt<string[]>
  declare isActive: Opt<boolean>
  /** Decisions within an hour. */
  declare rateLimit?: number | null
  /** A decision in which it trusts less than this waits for a person. */
  declare minConfidence: Opt<number>
  /** And so does one in which an action is riskier than this. */
  declare maxRisk: Opt<number>
  declare version: Opt<number>

  activate(): void {
    this.isActive = true
  }

  deactivate(): void {
    this.isActive = false
  }

  requireTools(tools: readonly string[]): void {
    const foreign = tools.filter(tool => !this.tools.includes(tool))
    if (foreign.length > 0) throw new ToolNotAllowedError(this.name, [...new Set(foreign)])
  }

  /** Whether a person has to agree first. */
  needsApproval(confidence: number, risks: readonly number[]): boolean {
    // A model may have said `high`, which is neither more nor less than any number.
    const mayByItself = confidence >= this.minConfidence && risks.every(risk => risk <= this.maxRisk)
    return !mayByItself
  }
}

const share = () => p.decimal('number').precision(4).scale(3)

export const OrchestrationAgentSchema: EntitySchema<OrchestrationAgent> = tenantEntity({
  class: OrchestrationAgent,
  restored: agent => agent.deactivate(),
  properties: {
    name: p.text(),
    instructions: p.text(),
    providerConfig: () => p.manyToOne(AIProviderConfig).ref().nullable(),
    temperature: p.decimal('number').precision(3).scale(2).default(0),
    tools: p
      .json<string[]>()
      .onCreate(() => [])
      .defaultRaw(`'[]'`),
    isActive: p.boolean().default(true),
    rateLimit: p.integer().nullable(),
    minConfidence: share().default(0.8),
    maxRisk: share().default(0.5),
    version: p.integer().version(),
  },
  uniques: [{ properties: ['name'] }],
  checks: [
    { name: 'orchestration_agent_temperature', expression: 'temperature >= 0 and temperature <= 2' },
    { name: 'orchestration_agent_rate', expression: 'rate_limit > 0' },
    { name: 'orchestration_agent_tools_list', expression: `jsonb_typeof(tools) = 'array'` },
    { name: 'orchestration_agent_limits', expression: 'min_confidence >= 0 and min_confidence <= 1 and max_risk >= 0 and max_risk <= 1' },
  ],
})
