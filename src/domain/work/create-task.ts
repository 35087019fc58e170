import { now } from '../../kernel/clock.ts'
import type { ScopedEntityManager } from '../../orm/index.ts'
import { type Pipeline, PipelineStage } from './pipeline.entity.ts'
import type { TaskSource } from './task-words.ts'
import type { TaskTemplate } from './task-template.entity.ts'
import { Task } from './task.entity.ts'
import { assertFillsIn, filledIn } from './template-definition.ts'
import { TemplateRetiredError } from './work.errors.ts'

export interface FromTemplate {
  /** What the template asks for. */
  readonly data?: Record<string, unknown>
  readonly source?: TaskSource
  readonly pipeline?: Pipeline
  readonly at?: Date
}

/** A task as its template describes it, in the first stage of its pipeline if it has one. */
export async function createTaskFromTemplate(
  em: ScopedEntityManager,
  template: TaskTemplate,
  { data = {}, source, pipeline, at = now() }: FromTemplate = {},
): Promise<Task> {
  const { key, revision, definition, kind, defaultPriority, slaMinutes, isActive } = template
  if (!isActive) throw new TemplateRetiredError(key, revision)
  assertFillsIn(key, definition, data)
  const task = em.create(Task, {
    template,
    kind,
    priority: defaultPriority,
    title: filledIn(definition.title, data),
    description: definition.description ?? null,
    source: source ?? null,
    dueAt: slaMinutes ? new Date(at.getTime() + slaMinutes * 60_000) : null,
    data: { ...data, ...(definition.checklist && { checklist: definition.checklist.map(text => ({ text, isDone: false })) }) },
  })
  if (pipeline) task.enter(await firstStageOf(em, pipeline), at)
  return task
}

export interface TaskPreview {
  readonly title: string
  readonly description: string | null
  readonly checklist: readonly string[]
}

/** What a task of it would say, where nothing is missing. */
export function previewTemplate({ key, definition }: TaskTemplate, data: Record<string, unknown>): TaskPreview {
  assertFillsIn(key, definition, data)
  const { title, description = null, checklist = [] } = definition
  return { title: filledIn(title, data), description, checklist }
}

/** Where work of this pipeline begins. */
export function firstStageOf(em: ScopedEntityManager, pipeline: Pipeline): Promise<PipelineStage> {
  return em.findOneOrFail(PipelineStage, { pipeline }, { orderBy: { position: 'asc' } })
}
