import { expect } from 'vitest'
import { AuditEvent } from '../../src/audit/index.ts'
import { userActor } from '../../src/context/index.ts'
import { newId } from '../../src/kernel/id.ts'
import type { ScopedEntityManager } from '../../src/orm/index.ts'
import { replayProblems } from '../../src/readers/index.ts'
import { Note, Tag } from './model.ts'
import { useModel } from './use-model.ts'

/** The model, and a note with a past in it for the readers of the log. */
export function usePast() {
  const model = useModel()
  const person = userActor(newId())
  const scope = (actor = person) =>
    model.daybook.scope({ tenant: model.tenant, actor, requestId: 'r1', correlationId: 'story', reason: 'because' })
  const transact = <T>(work: (em: ScopedEntityManager) => Promise<T>) =>
    model.daybook.transact({ tenant: model.tenant, actor: person }, work)

  /** A note that was created, renamed and tagged, each in a transaction of its own. */
  async function noteWithPast() {
    const em = scope()
    const tag = em.create(Tag, { label: 'urgent' })
    const note = em.create(Note, { title: 'first', data: { a: { b: 1 }, c: 2 }, place: { city: 'Lyon' } })
    await em.flush()
    note.title = 'second'
    note.data = { a: { b: 2 }, c: 2 }
    await em.flush()
    note.tags.add(tag)
    await em.flush()
    return { em, note, tag }
  }

  const eventOf = async (type: string) => scope().findOneOrFail(AuditEvent, { type, tenantId: model.tenant }, { orderBy: { seq: 'desc' } })
  const agree = async () => expect(await transact(em => replayProblems(em))).toEqual([])

  return { model, scope, transact, noteWithPast, eventOf, agree }
}
