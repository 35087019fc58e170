import type { ScopedEntityManager } from '../../orm/index.ts'
import type { PipelineType } from './pipeline.entity.ts'
import type { TaskKind, TaskPriority } from './task-words.ts'
import { TaskTemplate } from './task-template.entity.ts'
import { assertDefinition, type TemplateDefinition } from './template-definition.ts'

export interface TemplateInput {
  readonly key: string
  readonly name: string
  readonly kind?: TaskKind
  readonly pipelineType: PipelineType
  readonly definition: TemplateDefinition
  readonly defaultPriority?: TaskPriority
  readonly slaMinutes?: number
}

export function createTemplate(em: ScopedEntityManager, input: TemplateInput): TaskTemplate {
  assertDefinition(input.definition)
  return em.create(TaskTemplate, input)
}

/** What a template says from now on. Tasks that were made of the revision before it keep theirs. */
export async function reviseTemplate(
  em: ScopedEntityManager,
  template: TaskTemplate,
  changes: Partial<Omit<TemplateInput, 'key'>>,
): Promise<TaskTemplate> {
  const { key, revision, name, kind, pipelineType, defaultPriority, slaMinutes } = template
  const definition = changes.definition ?? template.definition
  assertDefinition(definition)
  template.retire()
  // Before its successor, because one revision of a key is active at a time.
  await em.flush()
  return em.create(TaskTemplate, {
    name,
    kind,
    pipelineType,
    defaultPriority,
    slaMinutes: slaMinutes ?? null,
    ...changes,
    key,
    definition,
    revision: revision + 1,
  })
}
