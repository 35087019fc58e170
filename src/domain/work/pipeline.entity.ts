import { type Collection, type EntitySchema, type Opt, p, type Ref } from '@mikro-orm/core'
import { tenantEntity, TenantRow } from '../../orm/index.ts'
import type { TaskSource } from './task-words.ts'

export const pipelineTypes = ['SALES', 'SUPPORT', 'BILLING', 'INTERNAL', 'GENERIC', 'CUSTOM'] as const
export type PipelineType = (typeof pipelineTypes)[number]

export const stageOutcomes = ['OPEN', 'WON', 'LOST', 'DONE'] as const
export type StageOutcome = (typeof stageOutcomes)[number]

/** Which requests a pipeline takes: from one of these sources, or whose subject or body has one of these words. */
export interface Routing {
  readonly sources?: readonly TaskSource[]
  readonly words?: readonly string[]
}

/** The way that one kind of work takes, stage by stage. */
export class Pipeline extends TenantRow {
  declare key: string
  declare name: string
  declare type: PipelineType
  declare isActive: Opt<boolean>
  declare routing: Opt<Routing>
  declare stages: Collection<PipelineStage>
  declare version: Opt<number>

  /** How well a request fits: each source and each word that it meets counts one. */
  fits(source: TaskSource, text: string): number {
    const { sources = [], words = [] } = this.routing
    const said = text.toLowerCase()
    return Number(sources.includes(source)) + words.filter(word => said.includes(word.toLowerCase())).length
  }
}

export const PipelineSchema: EntitySchema<Pipeline> = tenantEntity({
  class: Pipeline,
  properties: {
    key: p.text(),
    name: p.text(),
    type: p.enum(pipelineTypes),
    isActive: p.boolean().default(true),
    routing: p
      .json<Routing>()
      .onCreate(() => ({}))
      .defaultRaw(`'{}'`),
    stages: () => p.oneToMany(PipelineStage).mappedBy('pipeline').orderBy({ position: 'asc' }),
    version: p.integer().version(),
  },
  uniques: [{ properties: ['key'] }],
})

/** Where work stands. Work that enters a terminal stage is at its end, well or badly. */
export class PipelineStage extends TenantRow {
  declare pipeline: Ref<Pipeline>
  declare key: string
  declare name: string
  declare position: number
  declare outcome: Opt<StageOutcome>
  declare isTerminal: Opt<boolean>
}

export const PipelineStageSchema: EntitySchema<PipelineStage> = tenantEntity({
  class: PipelineStage,
  properties: {
    pipeline: () => p.manyToOne(Pipeline).ref().deleteRule('cascade'),
    key: p.text(),
    name: p.text(),
    position: p.integer(),
    outcome: p.enum(stageOutcomes).default('OPEN'),
    isTerminal: p.boolean().default(false),
  },
  uniques: [{ properties: ['pipeline', 'position'] }, { properties: ['pipeline', 'key'] }],
  checks: [
    { name: 'pipeline_stage_position', expression: 'position >= 0' },
    { name: 'pipeline_stage_outcome_is_terminal', expression: `is_terminal = (outcome <> 'OPEN')` },
  ],
})
