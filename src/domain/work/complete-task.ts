import { now } from '../../kernel/clock.ts'
import type { ScopedEntityManager } from '../../orm/index.ts'
import { ApprovalItem } from './approval-item.entity.ts'
import { IntakeRequest } from './intake-request.entity.ts'
import type { PipelineStage } from './pipeline.entity.ts'
import type { Task } from './task.entity.ts'
import { ApprovalPendingError } from './work.errors.ts'

/** Completes a task, unless somebody has yet to approve something about it; the request that it came from is then complete too. */
export function completeTask(em: ScopedEntityManager, task: Task, at: Date = now()): Promise<void> {
  return completing(em, task, () => task.complete(at))
}

/** Moves a task to another stage. One that completes it asks for the same as `completeTask` does; one that cancels it asks for nothing. */
export async function moveTask(em: ScopedEntityManager, task: Task, stage: PipelineStage, at: Date = now()): Promise<void> {
  const completes = stage.isTerminal && stage.outcome !== 'LOST'
  if (completes && task.stage?.id !== stage.id && !task.isClosed()) await completing(em, task, () => task.enter(stage, at))
  else task.enter(stage, at)
}

async function completing(em: ScopedEntityManager, task: Task, complete: () => void): Promise<void> {
  const waiting = await em.count(ApprovalItem, { subjectType: 'task', subjectId: task.id, status: 'PENDING' })
  if (waiting > 0) throw new ApprovalPendingError(waiting)
  complete()
  const request = await em.findOne(IntakeRequest, { task })
  if (request?.isOpen()) request.complete()
}
