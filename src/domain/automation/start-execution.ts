import { LockMode } from '@mikro-orm/core'
import { AuditEvent, PersonKeyLockedError } from '../../audit/index.ts'
import { now } from '../../kernel/clock.ts'
import { webhookDoubt } from '../../kernel/standard-webhooks.ts'
import { isNamedBy } from '../../kernel/event-pattern.ts'
import { jsonOrText } from '../../kernel/json-or-text.ts'
import { newId } from '../../kernel/id.ts'
import { storableJson } from '../../kernel/storable.ts'
import type { ScopedEntityManager } from '../../orm/index.ts'
import { type FollowedEvent, impersonal } from '../../readers/index.ts'
import { Automation } from './automation.entity.ts'
import { AutomationInactiveError, WebhookRefusedError } from './automation.errors.ts'
import type { EventConfig } from './automation-definition.ts'
import { webhookSecretOf } from './automations.ts'
import { WorkflowExecution } from './workflow-execution.entity.ts'
import { WorkflowTrigger } from './workflow-trigger.entity.ts'

export interface StartInput {
  readonly input?: Record<string, unknown>
  readonly trigger?: WorkflowTrigger
  /** What it is done for; whatever starts it for the same again starts nothing. */
  readonly key?: string
  readonly at?: Date
}

/** Queues a run, once for each key; the one that is there already where there is one. */
export async function startAutomation(
  em: ScopedEntityManager,
  automation: Automation,
  { input = {}, trigger, key, at = now() }: StartInput = {},
): Promise<WorkflowExecution> {
  if (!automation.isActive) throw new AutomationInactiveError(automation.name)
  const { id, tenantId, maxAttempts } = automation
  const [queued] = await em.execute<{ id: string }[]>(
    `insert into workflow_execution (id, tenant_id, automation_id, trigger_id, key, input, max_attempts, next_attempt_at)
       values (?, ?, ?, ?, ?, ?::jsonb, ?, ?) on conflict (tenant_id, automation_id, key) do nothing returning id`,
    [newId(), tenantId, id, trigger?.id ?? null, key ?? null, JSON.stringify(input), maxAttempts, at],
  )
  if (queued) trigger?.fired(at)
  return em.findOneOrFail(WorkflowExecution, queued ? queued.id : { automation, key: key! })
}

/** Starts what is due by the clock, some at a time; how many there were. */
export async function fireSchedules(em: ScopedEntityManager, at: Date = now()): Promise<number> {
  const due = await em.find(WorkflowTrigger, dueSchedules(at), { limit: 100, lockMode: LockMode.PESSIMISTIC_PARTIAL_WRITE })
  for (const trigger of due) {
    const dueAt = trigger.nextFireAt!.toISOString()
    const automation = await em.findOneOrFail(Automation, trigger.automation.id)
    if (automation.isActive && !(await wasGone(em, trigger)))
      await startAutomation(em, automation, { trigger, key: `${trigger.id} ${dueAt}`, input: { dueAt }, at })
    // Also where that started nothing, for it was started before: a trigger that was reverted would be due for ever.
    trigger.schedule(at)
  }
  return due.length
}

/** Whether it was deleted when it came due, and was brought back after that: what it missed stays missed, as it does while it is off. */
async function wasGone(em: ScopedEntityManager, { id, tenantId, nextFireAt }: WorkflowTrigger): Promise<boolean> {
  const made = { tenantId, entity: 'workflow-trigger', entityId: id, type: 'workflow-trigger.created' }
  const [last, first] = await em.find(AuditEvent, made, { orderBy: { seq: 'desc' }, limit: 2, disableIdentityMap: true })
  return Boolean(last && first && last.recordedAt >= nextFireAt!)
}

export function countDueSchedules(em: ScopedEntityManager, at: Date, tenantId?: string): Promise<number> {
  return em.count(WorkflowTrigger, { ...dueSchedules(at), ...(tenantId && { tenantId }) })
}

const dueSchedules = (at: Date) => ({ isActive: true, nextFireAt: { $lte: at } })

/**
 * Starts what waits for events like these, and was there before them. What an automation changed doesn't start that automation again, and
 * neither does news of runs and triggers: a circle would never end. A follower of all tenants works as an operator.
 */
export async function fireEvents(events: readonly FollowedEvent[], em: ScopedEntityManager): Promise<void> {
  const tenants = [...new Set(events.map(({ tenantId }) => tenantId))]
  const waiting = await em.find(
    WorkflowTrigger,
    { tenantId: { $in: tenants }, type: 'EVENT', isActive: true, automation: { isActive: true } },
    { populate: ['automation'] },
  )
  if (waiting.length === 0) return
  for (const event of events.filter(({ entity }) => !ownEntities.has(entity ?? ''))) {
    let told: Impersonal | undefined
    // Read once, and only if a trigger asks: most events are waited for by none.
    const readOnce = () => (told === undefined ? (told = impersonal(em, event)) : told)
    for (const trigger of waiting.filter(each => isWaitingFor(each, event, readOnce))) {
      const { id, type, entityId, actorType, actorId } = event
      // The log keeps what is told to the letter, also what no other column can hold; refused here, it would hold up the reactions of all tenants.
      const after = storableJson(readOnce())
      const input = { event: { id, type, entityId, after, actor: { type: actorType, id: actorId } } }
      await startAutomation(em, trigger.automation.getEntity(), { trigger, key: `${trigger.id} ${id}`, input })
    }
  }
}

type Impersonal = ReturnType<typeof impersonal>

const ownEntities = new Set(['automation', 'workflow-trigger', 'workflow-execution'])

function isWaitingFor({ config, automation, createdAt, tenantId }: WorkflowTrigger, event: FollowedEvent, told: () => Impersonal): boolean {
  const { event: pattern, where = {} } = config as EventConfig
  if (event.tenantId !== tenantId || event.actorId === automationActorId(automation.id) || event.recordedAt < createdAt) return false
  return isNamedBy(pattern, event.type) && Object.entries(where).every(([column, value]) => valueIn(event, column, told()) === value)
}

function valueIn(event: FollowedEvent, column: string, told: Impersonal): unknown {
  if (told?.[column] !== undefined) return told[column]
  try {
    return event.after?.[column]
  } catch (error) {
    // One person's key that can't be opened would hold up the reactions of all tenants. Nobody knows what stands there, so nobody waits for it.
    if (error instanceof PersonKeyLockedError) return undefined
    throw error
  }
}

/** As whom an automation's actions are done. */
export const automationActorId = (automation: string): string => `automation:${automation}`

export interface IncomingCall {
  readonly body: string
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  /** Which of the automation's triggers is called; any that listens unless it is said. */
  readonly trigger?: Pick<WorkflowTrigger, 'id'>
  readonly at?: Date
}

/** A call from outside starts what listens to it, once for each id that it carries, or is refused. */
export async function receiveCall(
  em: ScopedEntityManager,
  automation: Automation,
  { body, headers, trigger: called, at = now() }: IncomingCall,
): Promise<WorkflowExecution> {
  const secret = await webhookSecretOf(em, automation)
  const trigger = await em.findOne(WorkflowTrigger, { automation, type: 'WEBHOOK', isActive: true, ...(called && { id: called.id }) })
  if (!secret || !trigger) throw new WebhookRefusedError('nothing listens here')
  const doubt = webhookDoubt(headers, body, [secret], at)
  if (doubt) throw new WebhookRefusedError(doubt)
  return startAutomation(em, automation, { trigger, key: `call ${String(headers['webhook-id'])}`, input: { body: jsonOrText(body) }, at })
}
