import type { ScopedEntityManager } from '../../orm/index.ts'
import type { Task } from '../work/index.ts'
import { Prospect } from './prospect.entity.ts'
import { ProspectUnknownError } from './sales.errors.ts'

/** Says of a task which prospect it is about, or that it is about none; one that is marked as deleted is none. */
export async function linkTask(em: ScopedEntityManager, task: Task, prospect: Pick<Prospect, 'id'> | null): Promise<void> {
  if (prospect && !(await em.findOne(Prospect, prospect.id))) throw new ProspectUnknownError(prospect.id)
  task.prospectId = prospect?.id ?? null
}
