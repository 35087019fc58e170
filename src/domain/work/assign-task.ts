import type { ScopedEntityManager } from '../../orm/index.ts'
import { Membership } from '../access/index.ts'
import type { Task } from './task.entity.ts'
import { AssigneeError, TaskClosedError } from './work.errors.ts'

/** Gives a task to somebody who works here, or takes it back from everybody. */
export async function assignTask(em: ScopedEntityManager, task: Task, userId: string | null): Promise<void> {
  if (task.isClosed()) throw new TaskClosedError(task.status)
  const membership = userId ? await em.findOne(Membership, { user: userId, status: 'ACTIVE' }) : null
  if (userId && !membership) throw new AssigneeError(userId)
  // As the database spells them: ids may be given in capitals, and the log and whoever waits for it compare text.
  task.assignee = membership?.user ?? null
}
