import type { ScopedEntityManager } from '../../orm/index.ts'
import { Membership } from '../access/index.ts'
import { User } from '../identity/index.ts'
import type { Task } from './task.entity.ts'
import { AssigneeError, TaskClosedError } from './work.errors.ts'

/** Gives a task to somebody who works here, or takes it back from everybody. */
export async function assignTask(em: ScopedEntityManager, task: Task, userId: string | null): Promise<void> {
  if (task.isClosed()) throw new TaskClosedError(task.status)
  if (userId && !(await em.findOne(Membership, { user: userId, status: 'ACTIVE' }))) throw new AssigneeError(userId)
  task.assignee = userId ? em.getReference(User, userId, { wrapped: true }) : null
}
