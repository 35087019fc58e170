import { openSecret, sealSecret } from '../../audit/index.ts'
import { now } from '../../kernel/clock.ts'
import { newWebhookSecret } from '../../kernel/standard-webhooks.ts'
import type { ScopedEntityManager } from '../../orm/index.ts'
import { Automation } from './automation.entity.ts'
import {
  assertAutomation,
  assertTrigger,
  type AutomationDefinition,
  type AutomationTriggerKind,
  type TriggerConfig,
} from './automation-definition.ts'
import { WorkflowTrigger } from './workflow-trigger.entity.ts'

export interface AutomationInput {
  readonly name: string
  readonly definition: AutomationDefinition
  readonly externalSystem?: string
  readonly externalWorkflowId?: string
  readonly maxAttempts?: number
  readonly timeoutMs?: number
}

export interface NewAutomation {
  readonly automation: Automation
  /** Shown this once; both sides sign with it. */
  readonly webhookSecret: string
}

export async function createAutomation(em: ScopedEntityManager, input: AutomationInput): Promise<NewAutomation> {
  assertAutomation(input.definition)
  const automation = em.create(Automation, input)
  const webhookSecret = await rotateWebhookSecret(em, automation)
  await em.flush()
  return { automation, webhookSecret }
}

export async function rotateWebhookSecret(em: ScopedEntityManager, automation: Automation): Promise<string> {
  const secret = newWebhookSecret()
  automation.webhookSecretRef = await sealSecret(em, automation, secret)
  return secret
}

export async function webhookSecretOf(em: ScopedEntityManager, automation: Automation): Promise<string | undefined> {
  return automation.webhookSecretRef ? openSecret(em, automation, automation.webhookSecretRef) : undefined
}

export interface TriggerInput {
  readonly type: AutomationTriggerKind
  readonly config?: TriggerConfig
}

export function addTrigger(
  em: ScopedEntityManager,
  automation: Automation,
  { type, config = {} }: TriggerInput,
  at: Date = now(),
): WorkflowTrigger {
  assertTrigger(type, config)
  const trigger = em.create(WorkflowTrigger, { automation, type, config })
  trigger.schedule(at)
  return trigger
}
