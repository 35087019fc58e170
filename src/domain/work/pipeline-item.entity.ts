import { type EntitySchema, type Opt, p, type Ref } from '@mikro-orm/core'
import { tenantEntity, TenantRow } from '../../orm/index.ts'
import { Pipeline, PipelineStage } from './pipeline.entity.ts'
import { Task } from './task.entity.ts'

/** Work as it was kept before there were tasks. `migratePipelineItems` makes each a task and leaves a trace here. */
export class PipelineItem extends TenantRow {
  declare pipeline: Ref<Pipeline>
  declare stage: Ref<PipelineStage>
  declare title: string
  declare data: Opt<Record<string, unknown>>
  declare task?: Ref<Task> | null
}

export const PipelineItemSchema: EntitySchema<PipelineItem> = tenantEntity({
  class: PipelineItem,
  properties: {
    pipeline: () => p.manyToOne(Pipeline).ref(),
    stage: () => p.manyToOne(PipelineStage).ref(),
    title: p.text(),
    data: p
      .json<Record<string, unknown>>()
      .onCreate(() => ({}))
      .defaultRaw(`'{}'`),
    task: () => p.manyToOne(Task).ref().nullable().deleteRule('cascade'),
  },
  uniques: [{ name: 'pipeline_item_one_task', properties: ['task'], where: 'task_id is not null' }],
  indexes: [{ name: 'pipeline_item_to_migrate', properties: ['id'], where: 'task_id is null' }],
})
