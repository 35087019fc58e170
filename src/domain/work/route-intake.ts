import { now } from '../../kernel/clock.ts'
import type { ScopedEntityManager } from '../../orm/index.ts'
import { firstStageOf } from './create-task.ts'
import type { IntakeRequest } from './intake-request.entity.ts'
import { Pipeline } from './pipeline.entity.ts'
import { Task } from './task.entity.ts'
import { NowhereToRouteError } from './work.errors.ts'

/**
 * Makes a request a task at the beginning of the pipeline that fits it best; one that fits none goes to a pipeline for everything. What somebody
 * wrote stays in the request, under their key: a task is told in clear.
 */
export async function routeIntake(em: ScopedEntityManager, request: IntakeRequest, at: Date = now()): Promise<Task> {
  request.startRouting()
  const pipeline = await pipelineFor(em, request)
  const task = em.create(Task, { title: request.subject, source: request.source })
  task.enter(await firstStageOf(em, pipeline), at)
  request.assign(task)
  return task
}

async function pipelineFor(em: ScopedEntityManager, { source, subject, body }: IntakeRequest): Promise<Pipeline> {
  const pipelines = await em.find(Pipeline, { isActive: true }, { orderBy: { key: 'asc' } })
  const text = `${subject} ${body ?? ''}`
  const [best] = pipelines
    .map(pipeline => ({ pipeline, fit: pipeline.fits(source, text) }))
    .filter(({ fit }) => fit > 0)
    .toSorted((a, b) => b.fit - a.fit)
  const found = best?.pipeline ?? pipelines.find(({ type }) => type === 'GENERIC')
  if (!found) throw new NowhereToRouteError()
  return found
}
