import { LockMode } from '@mikro-orm/core'
import { because, decide } from '../../audit/index.ts'
import { now } from '../../kernel/clock.ts'
import { type ScopedEntityManager, wholly } from '../../orm/index.ts'
import type { TaskSource } from '../work/index.ts'
import { cancelEvent, rescheduleEvent } from './change-event.ts'
import { attendeesOf, type EventInput, requirePeriod, scheduleEvent } from './schedule-event.ts'
import { type Proposal, SchedulingAgentTask, type SchedulingRequest, type SchedulingTaskType } from './scheduling-agent-task.entity.ts'
import { type Period, SchedulingEvent } from './scheduling-event.entity.ts'
import { ProposalUnknownError, SchedulingTaskInvalidError } from './scheduling.errors.ts'

export interface SchedulingTaskInput {
  readonly source: TaskSource
  readonly type: SchedulingTaskType
  readonly request?: SchedulingRequest
  /** Which event is to be moved, cancelled or summarized. */
  readonly event?: SchedulingEvent
}

/** Asks an agent to do something with a calendar. What it could not do in the end is refused at once. */
export function requestScheduling(em: ScopedEntityManager, input: SchedulingTaskInput): SchedulingAgentTask {
  const { source, type, event } = input
  const { attendees, ...asked } = input.request ?? {}
  const request: SchedulingRequest = { ...asked, ...(attendees && { attendees: attendeesOf(attendees) }) }
  if (type === 'FIND_TIME') eventAskedFor(request)
  else if (!event) throw new SchedulingTaskInvalidError([`a task of type ${type} needs the event that it is about`])
  const about = type === 'FIND_TIME' || !event ? null : em.getReference(SchedulingEvent, event.id, { wrapped: true })
  return em.create(SchedulingAgentTask, { source, type, request, event: about })
}

export interface SlotProposal {
  /** Times to choose from; none where the event is to be cancelled. */
  readonly slots?: readonly Period[]
  readonly rationale: string
  /** From 0 to 1. */
  readonly confidence?: number
  readonly model?: string
}

/**
 * The agent's answer to a task that runs: times to choose from, or that an event be cancelled, which gives the event's own time free. It is a
 * decision, so the log knows who proposed it and why.
 */
export async function proposeSlots(em: ScopedEntityManager, task: SchedulingAgentTask, answer: SlotProposal): Promise<void> {
  const { slots = [], ...told } = answer
  refuseUseless(task.type, slots)
  slots.forEach(requirePeriod)
  await wholly(em, async inner => {
    const current = await lockTask(inner, task)
    const times = current.type === 'CANCEL' ? [await current.event!.loadOrFail()] : slots
    const proposals = times.map(({ startsAt, endsAt }) => ({ startsAt: startsAt.toISOString(), endsAt: endsAt.toISOString() }))
    const { id } = await decide(inner, { type: 'scheduling.proposal', subject: current, outcome: proposals, ...told })
    await because(inner, { decision: id }, async () => current.propose(proposals, id))
  })
}

function refuseUseless(type: SchedulingTaskType, slots: readonly Period[]): void {
  if (type === 'SUMMARIZE') throw new SchedulingTaskInvalidError(['a summary is no proposal that somebody could accept; complete the task'])
  if (type === 'CANCEL' && slots.length > 0)
    throw new SchedulingTaskInvalidError(['the event is to be cancelled, not moved; name no times'])
  if (type !== 'CANCEL' && slots.length === 0)
    throw new SchedulingTaskInvalidError(['there is no time to choose from; let the task fail instead'])
}

/**
 * Makes, moves or cancels the event as proposed. The decision that proposed it stands with the event in the log. Where the time was taken meanwhile
 * it is refused, and the other proposals still stand.
 */
export async function acceptProposal(
  em: ScopedEntityManager,
  task: SchedulingAgentTask,
  index: number,
  at: Date = now(),
): Promise<SchedulingEvent> {
  const id = await wholly(em, async inner => {
    const current = await lockTask(inner, task)
    const proposal = current.status === 'PROPOSED' ? current.proposals[index] : undefined
    if (!proposal) throw new ProposalUnknownError(index, current.status, current.proposals.length)
    return because(inner, { decision: current.decisionId! }, async () => {
      const made = await carryOut(inner, current, proposal, at)
      current.event = inner.getReference(SchedulingEvent, made, { wrapped: true })
      current.complete()
      return made
    })
  })
  return em.findOneOrFail(SchedulingEvent, id)
}

async function carryOut(em: ScopedEntityManager, task: SchedulingAgentTask, proposal: Proposal, at: Date): Promise<string> {
  const period = { startsAt: new Date(proposal.startsAt), endsAt: new Date(proposal.endsAt) }
  if (task.event) {
    const event = await task.event.loadOrFail()
    if (task.type === 'CANCEL') await cancelEvent(em, event)
    else await rescheduleEvent(em, event, period, at)
    return event.id
  }
  const aiSuggestion = { task: task.id, decision: task.decisionId, ...proposal }
  return (await scheduleEvent(em, { ...eventAskedFor(task.request), ...period, aiSuggestion })).id
}

function eventAskedFor({ title, organizer, timeZone, attendees = [], location }: SchedulingRequest): Omit<EventInput, keyof Period> {
  if (!title || !organizer || !timeZone) throw new SchedulingTaskInvalidError(['a new event needs title, organizer and timeZone'])
  return { title, organizer, timeZone, attendees, ...(location && { location }) }
}

function lockTask(em: ScopedEntityManager, { id }: SchedulingAgentTask): Promise<SchedulingAgentTask> {
  return em.findOneOrFail(SchedulingAgentTask, id, { lockMode: LockMode.PESSIMISTIC_WRITE, refresh: true })
}
