import { type EntitySchema, type Opt, p } from '@mikro-orm/core'
import { tenantEntity, TenantRow } from '../../orm/index.ts'
import type { AutomationDefinition } from './automation-definition.ts'

/** Something that is done whenever one of its triggers says so: a call to a workflow elsewhere, or an action of the application's. */
export class Automation extends TenantRow {
  declare name: string
  /** `n8n`, for instance, and what the workflow is called there. */
  declare externalSystem?: string | null
  declare externalWorkflowId?: string | null
  declare isActive: Opt<boolean>
  declare definition: AutomationDefinition
  /** What calls in both directions are signed with, sealed for this row. */
  declare webhookSecretRef?: string | null
  declare maxAttempts: Opt<number>
  declare timeoutMs: Opt<number>
  declare version: Opt<number>

  activate(): void {
    this.isActive = true
  }

  /** What is queued by then rests, until it is active again or somebody cancels it. */
  deactivate(): void {
    this.isActive = false
  }
}

export const AutomationSchema: EntitySchema<Automation> = tenantEntity({
  class: Automation,
  properties: {
    name: p.text(),
    externalSystem: p.text().nullable(),
    externalWorkflowId: p.text().nullable(),
    isActive: p.boolean().default(true),
    definition: p.json<AutomationDefinition>(),
    webhookSecretRef: p.text().nullable().hidden(),
    maxAttempts: p.integer().default(3),
    timeoutMs: p.integer().default(30_000),
    version: p.integer().version(),
  },
  uniques: [{ properties: ['name'] }, { properties: ['externalSystem', 'externalWorkflowId'] }],
  checks: [
    { name: 'automation_external', expression: 'external_workflow_id is null or external_system is not null' },
    { name: 'automation_attempts', expression: 'max_attempts >= 1 and max_attempts <= 20' },
    { name: 'automation_timeout', expression: 'timeout_ms >= 100 and timeout_ms <= 600000' },
  ],
  audit: { secret: ['webhookSecretRef'] },
  restored: automation => automation.deactivate(),
})
