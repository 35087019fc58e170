import type { ScopedEntityManager } from '../../orm/index.ts'
import { Pipeline, PipelineStage, type PipelineType, type Routing, type StageOutcome } from './pipeline.entity.ts'
import { PipelineInvalidError } from './work.errors.ts'

export interface PipelineInput {
  readonly key: string
  readonly name: string
  readonly type: PipelineType
  readonly routing?: Routing
  /** In their order; those with an outcome are terminal. */
  readonly stages: readonly { readonly key: string; readonly name: string; readonly outcome?: Exclude<StageOutcome, 'OPEN'> }[]
}

/** A pipeline with its stages: at least one in which work begins and one in which it ends. */
export function createPipeline(em: ScopedEntityManager, { stages, routing, ...rest }: PipelineInput): Pipeline {
  refuseBroken(stages)
  const pipeline = em.create(Pipeline, { ...rest, ...(routing && { routing }) })
  for (const [position, { key, name, outcome = 'OPEN' }] of stages.entries()) {
    em.create(PipelineStage, { pipeline, key, name, position, outcome, isTerminal: outcome !== 'OPEN' })
  }
  return pipeline
}

function refuseBroken(stages: PipelineInput['stages']): void {
  const keys = stages.map(({ key }) => key)
  const repeated = keys.filter((key, index) => keys.indexOf(key) !== index)
  const problems = [
    ...(stages[0] && !stages[0].outcome ? [] : ['its first stage must be one in which work begins']),
    ...(stages.some(({ outcome }) => outcome) ? [] : ['no stage has an outcome, so work in it would never end']),
    ...(repeated.length > 0 ? [`the key ${repeated.join(', ')} stands for several stages`] : []),
  ]
  if (problems.length > 0) throw new PipelineInvalidError(problems)
}
