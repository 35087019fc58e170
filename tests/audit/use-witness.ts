import { expect } from 'vitest'
import { systemActor } from '../../src/context/index.ts'
import type { ScopedEntityManager } from '../../src/orm/index.ts'
import { replayProblems } from '../../src/readers/index.ts'
import { Note } from './model.ts'
import { useModel } from './use-model.ts'

interface EventRow {
  readonly type: string
  readonly entity_id: string
  readonly changed: string[] | null
  readonly before: Record<string, unknown> | null
  readonly after: Record<string, unknown> | null
  readonly source: string
}

/** The model, and somebody who reads in the log what became of it. */
export function useWitness() {
  const model = useModel()
  const story = { actor: systemActor('test'), reason: 'a test', requestId: 'request', correlationId: 'story' }
  const scope = () => model.daybook.scope({ tenant: model.tenant, ...story })
  const transact = <T>(work: (em: ScopedEntityManager) => Promise<T>) => model.daybook.transact({ tenant: model.tenant, ...story }, work)

  async function events(): Promise<EventRow[]> {
    return transact(em => em.execute('select * from audit_event where tenant_id = ? order by seq', [model.tenant]))
  }

  /** Each event in a few words, after a look whether the log gives every table back. */
  async function told(): Promise<string[]> {
    expect(await transact(em => replayProblems(em))).toEqual([])
    return (await events()).map(({ type, source }) => (source === 'database' ? `${type} by the database` : type))
  }

  async function saved(title = 'a note'): Promise<Note> {
    const em = scope()
    const note = em.create(Note, { title })
    await em.flush()
    return note
  }

  return { model, scope, transact, events, told, saved }
}
