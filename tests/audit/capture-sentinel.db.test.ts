import { describe, expect, test } from 'vitest'
import { newId } from '../../src/kernel/id.ts'
import type { ScopedEntityManager } from '../../src/orm/index.ts'
import { Line, Note, Tag } from './model.ts'
import { useWitness } from './use-witness.ts'

const { model, scope, transact, events, told, saved } = useWitness()

describe('the sentinel', () => {
  const routes: Record<string, (em: ScopedEntityManager, note: Note) => Promise<unknown>> = {
    'em.nativeUpdate': (em, { id }) => em.nativeUpdate(Note, { id }, { title: 'changed' }),
    QueryBuilder: (em, { id }) => em.createQueryBuilder(Note).update({ title: 'changed' }).where({ id }).execute(),
    'em.execute': (em, { id }) => em.execute(`update note set title = 'changed' where id = ?`, [id]),
    Kysely: (em, { id }) =>
      em.getKysely<{ note: { id: string; title: string } }>().updateTable('note').set({ title: 'changed' }).where('id', '=', id).execute(),
  }
  for (const [route, change] of Object.entries(routes)) {
    test(`sees ${route}, and says who`, async () => {
      const note = await saved()
      await transact(em => change(em, note))
      expect(await told()).toEqual(['note.created', 'note.updated by the database'])
      expect((await events())[1]).toMatchObject({
        before: { title: 'a note' },
        after: { title: 'changed' },
        actor_id: 'test',
        request_id: 'request',
        correlation_id: 'story',
        reason: 'a test',
      })
    })
  }

  test('sees inserts and deletes in bulk', async () => {
    await transact(async em => {
      const rows = [1, 2, 3].map(index => ({ id: newId(), label: `tag ${index}`, tenantId: model.tenant }))
      await em.insertMany(Tag, rows)
      await em.upsertMany(
        Tag,
        rows.map(row => ({ ...row, label: 'again' })),
      )
      await em.nativeDelete(Tag, {})
    })
    const names = ['tag.created', 'tag.updated', 'tag.deleted'].flatMap(name => Array.from({ length: 3 }, () => `${name} by the database`))
    expect(await told()).toEqual(names)
  })

  test('is silent about a raw update that writes what was there', async () => {
    const { id } = await saved()
    await transact(em => em.execute(`update note set title = 'a note' where id = ?`, [id]))
    expect(await told()).toEqual(['note.created'])
  })

  test('sees cascades and set null of a flush, and what a flush deletes only once', async () => {
    const em = scope()
    const parent = em.create(Note, { title: 'parent' })
    const child = em.create(Note, { title: 'child', parent })
    em.create(Line, { note: parent, text: 'goes' })
    await em.flush()
    const other = scope()
    other.remove(await other.findOneOrFail(Note, parent.id))
    await other.flush()
    expect((await told()).slice(3).toSorted()).toEqual(['line.deleted by the database', 'note.deleted', 'note.updated by the database'])
    expect((await scope().findOneOrFail(Note, child.id)).parent).toBeNull()
  })

  test('keeps secrets', async () => {
    const { id } = await saved()
    await transact(em => em.execute(`update note set secret_word = 'hush' where id = ?`, [id]))
    expect((await events())[1]).toMatchObject({ changed: ['secret_word', 'updated_at'] })
    expect(JSON.stringify(await events())).not.toContain('hush')
  })

  test('sees a relation that is changed by raw SQL', async () => {
    const em = scope()
    const tag = em.create(Tag, { label: 'a' })
    const note = em.create(Note, { title: 'n' })
    await em.flush()
    await transact(async other => {
      await other.execute('insert into note_tags (note_id, tag_id) values (?, ?)', [note.id, tag.id])
      await other.execute('delete from note_tags')
    })
    expect((await told()).slice(-2)).toEqual(['note.tags-changed by the database', 'note.tags-changed by the database'])
  })
})

test('nobody changes, removes or empties events', async () => {
  await saved()
  for (const sql of ['update audit_event set reason = null', 'delete from audit_event', 'truncate audit_event']) {
    await expect(transact(em => em.execute(sql))).rejects.toThrow(/permission denied|only ever added/)
  }
  expect(await told()).toEqual(['note.created'])
})

test('a tenant sees its own events alone, and writes none for another', async () => {
  await saved()
  const first = model.tenant
  model.tenant = newId()
  await saved()
  expect(await transact(em => em.execute('select distinct tenant_id from audit_event'))).toEqual([{ tenant_id: model.tenant }])
  await expect(transact(em => em.execute(`insert into audit_event (tenant_id, type) values (?, 'forged')`, [first]))).rejects.toThrow()
})
