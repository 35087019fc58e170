import { LockMode, wrap } from '@mikro-orm/core'
import type { ScopedEntityManager } from '../../orm/index.ts'
import { PipelineItem } from './pipeline-item.entity.ts'
import { Task } from './task.entity.ts'

/** Makes tasks of items that aren't yet, some at a time, in the stages in which they stand; how many there were. */
export async function migratePipelineItems(em: ScopedEntityManager, limit = 500): Promise<number> {
  const items = await em.find(
    PipelineItem,
    { task: null },
    { limit, orderBy: { id: 'asc' }, populate: ['stage'], lockMode: LockMode.PESSIMISTIC_PARTIAL_WRITE, lockTableAliases: ['p0'] },
  )
  for (const item of items) {
    const task = em.create(Task, { title: item.title, data: item.data })
    task.enter(item.stage.$, item.createdAt)
    item.task = wrap(task).toReference()
  }
  return items.length
}
