import { Task } from '../../../src/entities.ts'
import { AuditCheckpoint, consistencyProof, countUnsealed, inclusionProof, sealLog, verifyLog } from '../../../src/ledger/index.ts'
import { asOf, diff, feed, history, pendingDecisions, restore, revert, why } from '../../../src/readers/index.ts'
import type { Calls } from './world.ts'

export const aboutTheLog: Calls = {
  async 'the feed, by whatever it is asked for'(world) {
    const told = new Date('2026-01-01T00:00:00Z')
    const { items, cursor } = await world.work(em => feed(em, {}, { limit: 20 }))
    await world.work(em => feed(em, {}, { limit: 20, ...(cursor && { cursor }) }))
    const { actorId, correlationId, entityId } = items[0]!
    await world.work(em => feed(em, { actor: { id: actorId } }))
    await world.work(em => feed(em, { entity: Task, entityId: entityId!, since: told }))
    if (correlationId) await world.work(em => feed(em, { correlationId }))
    await world.work(em => pendingDecisions(em))
  },

  async 'the history of one thing'(world) {
    const id = await world.work(async em => {
      const task = em.create(Task, { title: 'First' })
      await em.flush()
      return task.id
    })
    await world.work(async em => void ((await em.findOneOrFail(Task, id)).title = 'Second'))
    const task = await world.work(em => em.findOneOrFail(Task, id))
    const told = await world.work(em => history(em, task))
    await world.work(em => why(em, task, 'title'))
    const [first, second] = told.map(({ event }) => event)
    await world.work(em => diff(em, task, first!, second!))
    await world.work(em => asOf(em, first!).findOne(Task, id))
    await world.work(em => revert(em, second!))
    await world.work(async em => void em.remove(await em.findOneOrFail(Task, id)))
    await world.work(em => restore(em, [Task, id]))
  },

  async 'the ledger'(world) {
    for (let sealed = -1; sealed !== 0;) sealed = await sealLog(work => world.work(work), { installation: 'here.example' })
    const { items } = await world.work(em => feed(em, {}, { limit: 1, beforeSeq: 10_000 }))
    await world.work(countUnsealed)
    await world.work(em => inclusionProof(em, items[0]!.id))
    const [first, second] = await world.work(em => em.find(AuditCheckpoint, {}, { orderBy: { treeSize: 'asc' }, limit: 2 }))
    await world.work(em => consistencyProof(em, first!.treeSize, second!.treeSize))
    await verifyLog(work => world.work(work))
  },
}
