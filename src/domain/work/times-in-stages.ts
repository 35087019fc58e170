import { now } from '../../kernel/clock.ts'
import type { ScopedEntityManager } from '../../orm/index.ts'
import { history } from '../../readers/index.ts'
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
  const entered = (await history(em, task)).flatMap(({ changes }) => {
    const to = (property: string) => changes.find(change => change.property === property)?.after
    const [stage, moment] = [to('stage'), to('stageEnteredAt')]
    return typeof stage === 'string' && moment ? [{ stage, enteredAt: new Date(moment as string | Date) }] : []
  })
  const end = task.isClosed() ? (task.completedAt ?? entered.at(-1)?.enteredAt ?? at) : at
  return entered.map(({ stage, enteredAt }, index) => {
    const leftAt = entered[index + 1]?.enteredAt ?? (task.isClosed() ? end : undefined)
    return { stage, enteredAt, ...(leftAt && { leftAt }), ms: (leftAt ?? end).getTime() - enteredAt.getTime() }
  })
}
