import { type EntitySchema, type Opt, p } from '@mikro-orm/core'
import { tenantEntity, TenantRow } from '../../orm/index.ts'
import { type PipelineType, pipelineTypes } from './pipeline.entity.ts'
import { type TaskKind, taskKinds, type TaskPriority, taskPriorities } from './task-words.ts'
import type { TemplateDefinition } from './template-definition.ts'

/** How tasks of one kind look. What it says never changes: a change is a new revision, so a task can be read as it was meant. */
export class TaskTemplate extends TenantRow {
  declare key: string
  declare revision: Opt<number>
  declare name: string
  declare kind: Opt<TaskKind>
  declare pipelineType: PipelineType
  declare definition: TemplateDefinition
  declare defaultPriority: Opt<TaskPriority>
  /** Within how many minutes a task of this kind is to be done. */
  declare slaMinutes?: number | null
  declare isActive: Opt<boolean>

  retire(): void {
    this.isActive = false
  }
}

export const TaskTemplateSchema: EntitySchema<TaskTemplate> = tenantEntity({
  class: TaskTemplate,
  properties: {
    key: p.text(),
    revision: p.integer().default(1),
    name: p.text(),
    kind: p.enum(taskKinds).default('TASK'),
    pipelineType: p.enum(pipelineTypes),
    definition: p.json<TemplateDefinition>(),
    defaultPriority: p.enum(taskPriorities).default('MEDIUM'),
    slaMinutes: p.integer().nullable(),
    isActive: p.boolean().default(true),
  },
  uniques: [{ properties: ['key', 'revision'] }, { name: 'task_template_one_active', properties: ['key'], where: 'is_active' }],
  checks: [{ name: 'task_template_sla', expression: 'sla_minutes > 0' }],
  immutable: ['key', 'revision', 'definition'],
})
