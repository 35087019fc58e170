import { wrap } from '@mikro-orm/core'
import { systemActor } from '../../src/context/index.ts'
import { openDaybook } from '../../src/open-daybook.ts'
import { entities, Line, Note, Tag } from '../audit/model.ts'

/** A process of its own that writes by every route until it is killed. Arguments: the database’s URL and the tenant. */
const [databaseUrl, tenant] = process.argv.slice(2) as [string, string]
const daybook = await openDaybook({ databaseUrl, entities, logQueries: false })
const actor = systemActor('writer')

async function writeOnce(turn: number): Promise<void> {
  await daybook.transact({ tenant, actor }, async em => {
    const [old] = await em.find(Note, {}, { orderBy: { id: 'asc' }, offset: turn % 7, limit: 1, populate: ['tags'] })
    const note = em.create(Note, { title: `turn ${turn}`, data: { turn }, parent: old ? wrap(old).toReference() : null })
    note.tags.add(em.create(Tag, { label: `tag ${turn}` }))
    em.create(Line, { note, text: 'a line' })
    await em.flush()
    if (old) old.stars++
    await em.nativeUpdate(Tag, { label: `tag ${turn - 3}` }, { label: 'renamed' })
    if (turn % 5 === 0 && old) await em.execute('delete from note where id = ?', [old.id]).then(() => em.clear())
  })
}

/** Whose COMMIT is on its way before its insert has been answered. */
async function flushOnce(turn: number): Promise<void> {
  const em = daybook.scope({ tenant, actor })
  em.create(Tag, { label: `flushed ${turn}` })
  await em.flush()
}

await writeOnce(0)
process.send?.('writing')
for (let turn = 0; ; turn++) await Promise.allSettled([writeOnce(turn), writeOnce(turn + 1_000_000), flushOnce(turn)])
