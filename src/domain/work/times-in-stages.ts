import { now } from '../../kernel/clock.ts'
import type { ScopedEntityManager } from '../../orm/index.ts'
import { history, type HistoryEntry } from '../../readers/index.ts'
import type { Task } from './task.entity.ts'

export interface StageVisit {
  readonly stage: string
  readonly enteredAt: Date
  /** Undefined where it still stands there. */
  readonly leftAt?: Date
  readonly ms: number
}

/** Where a task stood and how long, read from the log: no table keeps it, and a change by raw SQL counts too. */
export async function timesInStages(em: ScopedEntityManager, task: Task, at: Date = now()): Promise<StageVisit[]> {
  const past = await history(em, task)
  const entered = past.flatMap(entry => {
    const stage = became(entry, 'stage')
    const enteredAt = entryInto(entry)
    return typeof stage === 'string' && enteredAt ? [{ stage, enteredAt }] : []
  })
  const end = task.isClosed() ? (task.completedAt ?? cancelledAt(past) ?? at) : at
  return entered.map(({ stage, enteredAt }, index) => {
    const leftAt = entered[index + 1]?.enteredAt ?? (task.isClosed() ? end : undefined)
    return { stage, enteredAt, ...(leftAt && { leftAt }), ms: Math.max((leftAt ?? end).getTime() - enteredAt.getTime(), 0) }
  })
}

/** No column keeps it. Where the stage itself cancels, that is when it was entered, which the caller says; otherwise the log knows. */
function cancelledAt(past: readonly HistoryEntry[]): Date | undefined {
  const cancelled = past.findLast(entry => became(entry, 'status') === 'CANCELLED')
  return cancelled && (entryInto(cancelled) ?? cancelled.event.recordedAt)
}

function entryInto(entry: HistoryEntry): Date | undefined {
  const moment = became(entry, 'stageEnteredAt')
  return moment ? new Date(moment as string | Date) : undefined
}

function became({ changes }: HistoryEntry, property: string): unknown {
  return changes.find(change => change.property === property)?.after
}
