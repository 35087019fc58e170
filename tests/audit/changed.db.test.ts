import { describe, expect, test } from 'vitest'
import { ActivityLog, AuditEvent, tell } from '../../src/audit/index.ts'
import { feed, history, subscribe, why } from '../../src/readers/index.ts'
import { Note, Tag } from './model.ts'
import { usePast } from './use-past.ts'

const { model, scope, transact, agree } = usePast()
const columns = ['title', 'updated_at', 'version']

async function renamed(): Promise<Note> {
  const em = scope()
  const note = em.create(Note, { title: 'first' })
  await em.flush()
  note.title = 'second'
  await em.flush()
  return note
}

describe('what an update changed', () => {
  test('is kept once, as the keys of what it became', async () => {
    const note = await renamed()
    const [stored] = await transact(em =>
      em.execute(
        `select changed, array(select json_object_keys(after) order by 1) as keys from audit_event where entity_id = ? and before is not null`,
        [note.id],
      ),
    )
    expect(stored).toEqual({ changed: null, keys: columns })
  })

  test('is told by every reader all the same', async () => {
    const note = await renamed()
    const where = { entityId: note.id, type: 'note.updated' }
    const told = [
      (await history(scope(), note))[1]!.event,
      (await feed(scope(), { entity: Note, entityId: note.id, property: 'title' })).items[0],
      (await why(scope(), note, 'title'))!.change.event,
      await scope().findOneOrFail(AuditEvent, where),
      await scope().findOneOrFail(ActivityLog, where),
    ]
    for (const event of told) expect([event!.type, event!.changed!.toSorted()]).toEqual(['note.updated', columns])

    const followed: string[] = []
    await using following = subscribe(
      model.daybook,
      'changed',
      async events => {
        for (const event of events) if (event.entityId === note.id && event.type === 'note.updated') followed.push(JSON.stringify(event))
      },
      { scope: { tenant: model.tenant, actor: scope().boundScope!.actor } },
    )
    await following.caughtUp()
    const [event, ...others] = followed.map(text => JSON.parse(text) as AuditEvent)
    expect(others).toEqual([])
    expect(event).toMatchObject({ entityId: note.id, before: { title: 'first' }, after: { title: 'second' } })
    expect(event!.changed!.toSorted()).toEqual(columns)
  })

  test('is none of what it left alone', async () => {
    const note = await renamed()
    const types = async (property: string) =>
      (await feed(scope(), { entity: Note, entityId: note.id, property })).items.map(({ type }) => type)
    expect(await types('title')).toEqual(['note.updated', 'note.created'])
    expect(await types('stars')).toEqual(['note.created'])
  })

  test('is nothing of what was only told', async () => {
    await transact(em => tell(em, { type: 'subscription.updated', log: model.tenant, details: { plan: 'PRO' } }))
    expect((await feed(scope(), { type: 'subscription.updated' })).items).toMatchObject([{ changed: null, after: { plan: 'PRO' } }])
    expect(await scope().findOneOrFail(AuditEvent, { type: 'subscription.updated', tenantId: model.tenant })).toMatchObject({
      changed: null,
    })
  })

  test('is named where its value isn’t told', async () => {
    const note = await renamed()
    const em = scope()
    const again = await em.findOneOrFail(Note, note.id)
    again.secretWord = 'hush'
    await em.flush()
    expect((await history(scope(), note))[2]!.event.changed!.toSorted()).toEqual(['secret_word', 'updated_at', 'version'])
  })
})

describe('events that share everything but their rows', () => {
  const texts = [`it's`, `"quoted"`, `back\\slash`, `a\nnew line\t`, `{1,"2",null}`, `[null]`, `$$`, `日記 \u{1F5D2}`, ``]

  test('keep whatever their rows say, to the letter', async () => {
    const em = scope()
    const notes = texts.map(title => em.create(Note, { title, data: { [title]: [title] } }))
    await em.flush()
    for (const note of notes) note.code = `${note.title}.`
    await em.flush()
    for (const note of notes) em.remove(note)
    await em.flush()
    const said = async (type: string) => (await feed(scope(), { type })).items.toReversed()
    expect((await said('note.created')).map(({ after }) => after)).toMatchObject(
      texts.map(title => ({ title, data: { [title]: [title] } })),
    )
    expect((await said('note.updated')).map(({ after }) => after)).toMatchObject(texts.map(title => ({ code: `${title}.` })))
    expect((await said('note.deleted')).map(({ before }) => before)).toMatchObject(texts.map(title => ({ title, code: `${title}.` })))
    await agree()
  })

  test('and those that share less are appended together too', async () => {
    const em = scope()
    for (const title of ['one', 'two']) em.create(Note, { title })
    em.create(Tag, { label: 'one' })
    await em.flush()
    const written = await transact(source =>
      source.execute<{ type: string; version: number | null }[]>(
        `select type, entity_version as version from audit_event where tenant_id = ? order by seq`,
        [model.tenant],
      ),
    )
    expect(written.toSorted((a, b) => a.type.localeCompare(b.type))).toEqual([
      { type: 'note.created', version: 1 },
      { type: 'note.created', version: 1 },
      { type: 'tag.created', version: null },
    ])
    await agree()
  })

  test.each(['alone', 'beside another class'])('say what the row says, where a text holds half a character, %s', async how => {
    const em = scope()
    const half = 'Note \u{1F5D2}'.slice(0, 6)
    const note = em.create(Note, { title: half, labels: [half] })
    if (how !== 'alone') em.create(Tag, { label: 'one' })
    await em.flush()
    expect(await scope().findOneOrFail(Note, note.id)).toMatchObject({ title: 'Note \uFFFD', labels: ['Note \uFFFD'] })
    expect((await history(scope(), note))[0]!.event.after).toMatchObject({ title: 'Note \uFFFD', labels: ['Note \uFFFD'] })
    expect(await scope().find(AuditEvent, { entityId: note.id })).toHaveLength(1)
    await agree()
  })

  test.each(['\u0000', '\ud800'])('are refused where nobody could read them: %j', async unreadable => {
    const told = transact(em => tell(em, { type: 'test.told', log: model.tenant, details: { unreadable } }))
    await expect(told).rejects.toThrow(/Unicode|json/)
  })
})
