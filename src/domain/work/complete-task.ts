import { now } from '../../kernel/clock.ts'
import type { ScopedEntityManager } from '../../orm/index.ts'
import { ApprovalItem } from './approval-item.entity.ts'
import { IntakeRequest } from './intake-request.entity.ts'
import type { Task } from './task.entity.ts'
import { ApprovalPendingError } from './work.errors.ts'

/** Completes a task, unless somebody has yet to approve something about it; the request that it came from is then complete too. */
export async function completeTask(em: ScopedEntityManager, task: Task, at: Date = now()): Promise<void> {
  const waiting = await em.count(ApprovalItem, { subjectType: 'task', subjectId: task.id, status: 'PENDING' })
  if (waiting > 0) throw new ApprovalPendingError(waiting)
  task.complete(at)
  const request = await em.findOne(IntakeRequest, { task })
  if (request?.isOpen()) request.complete()
}
