import { LockMode } from '@mikro-orm/core'
import { setTimeout as sleep } from 'node:timers/promises'
import { allDone } from '../../kernel/all-done.ts'
import { latest, now } from '../../kernel/clock.ts'
import { jsonOrText } from '../../kernel/json-or-text.ts'
import type { Post } from '../../kernel/outgoing.ts'
import { webhookHeaders } from '../../kernel/standard-webhooks.ts'
import { messageOf } from '../../kernel/error.ts'
import type { ScopedEntityManager, Transact } from '../../orm/index.ts'
import type { Automation } from './automation.entity.ts'
import { ActionUnknownError, AnswerRefusedError } from './automation.errors.ts'
import { webhookSecretOf } from './automations.ts'
import { automationActorId } from './start-execution.ts'
import { WorkflowExecution } from './workflow-execution.entity.ts'

/** What an automation of kind `action` does. Its `transact` works in the tenant, as the automation. */
export type Action = (input: ActionInput, transact: Transact) => Promise<unknown>
export interface ActionInput {
  readonly input: Record<string, unknown>
  readonly parameters: Record<string, unknown>
  /** Aborted when the time is up; what is done after that counts for nothing. */
  readonly signal: AbortSignal
}

export type Actions = Readonly<Record<string, Action>>

export interface Runner {
  readonly actions: Actions
  readonly post: Post
  readonly transact: Transact
  /** An automation's own scope: it works in its own name. */
  readonly transactAs: (actor: string) => Transact
}

const graceMs = 30_000

/**
 * Does what is queued, some at a time; how many there were. Each is taken in one transaction, done outside of any, and recorded in another, so
 * that a slow workflow elsewhere holds no row and no connection. What it does elsewhere happens at least once.
 */
export async function runExecutions(runner: Runner, at: Date): Promise<number> {
  const lost = await runner.transact(em => giveUpLost(em, at))
  const taken = await runner.transact(em => take(em, at))
  await allDone(taken.map(each => run(runner, each)))
  return lost + taken.length
}

export function countQueuedExecutions(em: ScopedEntityManager, at: Date, tenantId?: string): Promise<number> {
  const queued = { status: 'QUEUED' as const, nextAttemptAt: { $lte: at }, automation: { isActive: true } }
  return em.count(WorkflowExecution, { ...queued, ...(tenantId && { tenantId }) })
}

interface Taken {
  readonly id: string
  readonly attempt: number
  readonly input: Record<string, unknown>
  readonly automation: Automation
  readonly secret: string | undefined
}

/** What is queued rests while its automation is inactive. */
async function take(em: ScopedEntityManager, at: Date): Promise<Taken[]> {
  const rows = await em.execute<{ id: string }[]>(
    `select e.id from workflow_execution e join automation a on a.id = e.automation_id
       where e.status = 'QUEUED' and e.next_attempt_at <= ? and a.is_active order by e.next_attempt_at limit 10 for update of e skip locked`,
    [at],
  )
  const ids = rows.map(({ id }) => id)
  const executions = await em.find(WorkflowExecution, { id: { $in: ids } }, { populate: ['automation'], orderBy: { nextAttemptAt: 'asc' } })
  const taken: Taken[] = []
  for (const execution of executions) {
    const automation = execution.automation.getEntity()
    execution.start(latest(at), automation.timeoutMs + graceMs)
    const { id, attempt, input } = execution
    taken.push({ id, attempt, input, automation, secret: await webhookSecretOf(em, automation) })
  }
  return taken
}

/** Whoever ran it has died, or its answer would come too late. */
async function giveUpLost(em: ScopedEntityManager, at: Date): Promise<number> {
  const lost = await em.find(
    WorkflowExecution,
    { status: 'RUNNING', leaseUntil: { $lt: at } },
    { limit: 100, lockMode: LockMode.PESSIMISTIC_PARTIAL_WRITE },
  )
  for (const execution of lost) execution.fail('TIMEOUT', 'The process that ran it has died.', at)
  return lost.length
}

async function run(runner: Runner, taken: Taken): Promise<void> {
  const outcome = await tryOnce(runner, taken)
  await runner.transact(async em => {
    const execution = await em.findOne(WorkflowExecution, taken.id, { lockMode: LockMode.PESSIMISTIC_WRITE, refresh: true })
    // Cancelled or deleted meanwhile, or given up and taken by somebody else: this attempt has nothing to say any more.
    if (execution?.status !== 'RUNNING' || execution.attempt !== taken.attempt) return
    if ('error' in outcome) execution.fail(outcome.status, outcome.error, now())
    else execution.succeed(outcome.output, now())
  })
}

type Outcome = { readonly output: unknown } | { readonly status: 'FAILED' | 'TIMEOUT'; readonly error: string }

async function tryOnce(runner: Runner, taken: Taken): Promise<Outcome> {
  const { timeoutMs } = taken.automation
  const settled = new AbortController()
  const signal = AbortSignal.timeout(timeoutMs)
  const late = sleep(timeoutMs, undefined, { signal: settled.signal }).then(
    () => ({ status: 'TIMEOUT', error: `It took longer than ${timeoutMs} ms.` }) as const,
  )
  const done = perform(runner, taken, signal).then(
    output => ({ output }),
    (error: unknown) => ({ status: 'FAILED', error: messageOf(error) }) as const,
  )
  const outcome = await Promise.race([done, late])
  late.catch(() => undefined)
  settled.abort()
  return outcome
}

async function perform(runner: Runner, { id, input, automation, secret }: Taken, signal: AbortSignal): Promise<unknown> {
  const { definition } = automation
  if (definition.kind === 'action') {
    const action = Object.hasOwn(runner.actions, definition.action) ? runner.actions[definition.action] : undefined
    if (!action) throw new ActionUnknownError(definition.action)
    return action({ input, parameters: definition.parameters ?? {}, signal }, runner.transactAs(automationActorId(automation.id)))
  }
  const { externalWorkflowId: workflow } = automation
  const body = JSON.stringify({ execution: id, ...(workflow && { workflow }), input })
  const signed = secret ? webhookHeaders({ id, at: now(), body }, [secret]) : {}
  const headers = { 'content-type': 'application/json', ...signed }
  const answer = await runner.post({ url: definition.url, headers, body, timeoutMs: automation.timeoutMs })
  if (answer.status < 200 || answer.status > 299) throw new AnswerRefusedError(answer.status)
  return answer.body ? jsonOrText(answer.body) : null
}
