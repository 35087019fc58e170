import { type Static, type TProperties, Type } from 'typebox'
import { Value } from 'typebox/value'
import { schemaProblems } from '../../kernel/schema-problems.ts'
import { lockedAfresh, type ScopedEntityManager } from '../../orm/index.ts'
import { assignTask, moveTask, PipelineStage, taskPriorities, Task } from '../work/index.ts'
import type { Tool, Tools } from './execute-decision.ts'

const id = () => Type.String({ format: 'uuid' })

/** What agents may do with tasks wherever a host runs: `task.assign`, `task.move`, `task.prioritize`. */
export const taskTools: Tools = {
  'task.assign': onTask({ assignee: Type.Union([id(), Type.Null()]) }, (em, task, { assignee }) => assignTask(em, task, assignee)),
  'task.move': onTask({ stage: id() }, async (em, task, { stage }) => moveTask(em, task, await em.findOneOrFail(PipelineStage, stage))),
  'task.prioritize': onTask({ priority: Type.Enum([...taskPriorities]) }, (_em, task, { priority }) => {
    task.priority = priority
  }),
}

type Given<P extends TProperties> = Static<ReturnType<typeof Type.Object<P>>>

/** The parameters are what a model has written, so they are looked at as what a stranger sends. */
function onTask<P extends TProperties>(more: P, use: (em: ScopedEntityManager, task: Task, given: Given<P>) => void | Promise<void>): Tool {
  const schema = Type.Object({ task: id(), ...more }, { additionalProperties: false })
  return async (em, parameters) => {
    if (!Value.Check(schema, parameters)) throw new Error(`These parameters won’t do: ${schemaProblems(schema, parameters).join('; ')}.`)
    const { task, ...given } = parameters
    await use(em, await lockedAfresh(em, Task, task as string), given as Given<P>)
  }
}
