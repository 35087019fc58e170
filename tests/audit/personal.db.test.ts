import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MikroORM, p } from '@mikro-orm/core'
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { AuditEvent, erased, erasePerson, sealPersonal } from '../../src/audit/index.ts'
import { userActor } from '../../src/context/index.ts'
import { newId } from '../../src/kernel/id.ts'
import { newKey } from '../../src/kernel/keyring.ts'
import { modelWith } from '../../src/model.ts'
import { openDaybook } from '../../src/open-daybook.ts'
import {
  type Daybook,
  embeddedOptions,
  openEmbeddedDatabase,
  type ScopedEntityManager,
  tenantEntity,
  TenantRow,
} from '../../src/orm/index.ts'
import { asOf, diff, feed, history, replayProblems, restore, revert, subscribe } from '../../src/readers/index.ts'
import { openTestDaybook } from '../../src/testing/index.ts'
import { dumpOf } from './dump-of.ts'
import { entities, migrations, Note } from './model.ts'

let daybook: Daybook
let tenant: string
const actor = userActor(newId())
const scope = () => daybook.scope({ tenant, actor })
const transact = <T>(work: (em: ScopedEntityManager) => Promise<T>) => daybook.transact({ tenant, actor }, work)
const authorsIn = async (subject: Note | readonly [typeof Note, string]) =>
  (await history(scope(), subject)).flatMap(({ changes }) => changes.filter(({ property }) => property === 'author'))
const dump = () => transact(em => dumpOf(em, tenant))
const beside = () => transact(em => em.execute<{ value: string }[]>('select value from audit_personal'))
const agree = async () => expect(await transact(em => replayProblems(em))).toEqual([])

beforeAll(async () => {
  daybook = await openTestDaybook({ entities, migrations })
})
afterAll(() => daybook.close())
beforeEach(() => {
  tenant = newId()
})

async function diaryOf(author: string) {
  const em = scope()
  const note = em.create(Note, { title: 'kept', author, diary: { mood: 'merry', deep: { number: 12345678901234 } } })
  await em.flush()
  return { em, note }
}

describe('what tells of a person', () => {
  test('stands in the log as nothing that can be read, and is told to whoever may read the log', async () => {
    const { em, note } = await diaryOf('Ada Lovelace')
    note.author = 'Ada Byron'
    note.diary = { mood: 'sombre' }
    await em.flush()
    const text = await dump()
    for (const word of ['Ada', 'Lovelace', 'Byron', 'merry', 'mood', 'sombre']) expect(text).not.toContain(word)
    expect(text).toContain('kept')
    expect(await beside()).toEqual([])
    expect(await authorsIn(note)).toEqual([
      { property: 'author', after: 'Ada Lovelace' },
      { property: 'author', before: 'Ada Lovelace', after: 'Ada Byron' },
    ])
    const [update] = (await feed(scope(), { entity: Note, property: 'diary' })).items
    expect(update).toMatchObject({
      before: { diary: { mood: 'merry', deep: { number: 12345678901234 } } },
      after: { diary: { mood: 'sombre' } },
    })
    expect(update!.changed).toContain('diary')
    await agree()
  })

  test('looks different each time, so that nobody sees that two values are equal', async () => {
    await diaryOf('Ada')
    await diaryOf('Ada')
    const sealed = [...(await dump()).matchAll(/daybook:sealed:[^"]+/g)].map(([mark]) => mark)
    expect(sealed).toHaveLength(4)
    expect(new Set(sealed).size).toBe(4)
  })

  test('is seen by the sentinel too, which puts it beside the log until it is sealed', async () => {
    const { note } = await diaryOf('Ada')
    await transact(em => em.execute(`update note set author = 'Grace', diary = '{"port": [1, 2]}' where id = ?`, [note.id]))
    await transact(em => em.execute(`delete from note where id = ?`, [note.id]))
    expect(await dump()).not.toMatch(/Ada|Grace|port/)
    expect(await beside()).toContainEqual({ value: '"Grace"' })
    const told = [
      { property: 'author', after: 'Ada' },
      { property: 'author', before: 'Ada', after: 'Grace' },
      { property: 'author', before: 'Grace' },
    ]
    expect(await authorsIn([Note, note.id])).toEqual(told)
    expect(await transact(em => sealPersonal(em))).toBe(6)
    expect(await transact(em => sealPersonal(em))).toBe(0)
    expect(JSON.stringify(await beside())).not.toMatch(/Ada|Grace|port/)
    expect(await authorsIn([Note, note.id])).toEqual(told)
    await agree()
    expect(await restore(scope(), [Note, note.id])).toMatchObject({ author: 'Grace', diary: { port: [1, 2] } })
  })

  test('is as it was in the past, relations and JSON included', async () => {
    const { em, note } = await diaryOf('Ada')
    const [created] = await history(scope(), note)
    note.author = 'Grace'
    note.diary = null
    await em.flush()
    const past = await asOf(scope(), created!.event).findOneOrFail(Note, note.id)
    expect(past).toMatchObject({ author: 'Ada', diary: { mood: 'merry', deep: { number: 12345678901234 } } })
    const [, updated] = await history(scope(), note)
    expect(await diff(scope(), note, created!.event, updated!.event)).toContainEqual({ property: 'author', before: 'Ada', after: 'Grace' })
    await revert(scope(), updated!.event)
    expect(await scope().findOneOrFail(Note, note.id)).toMatchObject({ author: 'Ada', diary: { mood: 'merry' } })
  })

  test('reaches a follower', async () => {
    const { note } = await diaryOf('Ada')
    await transact(em => em.execute(`update note set author = 'Grace' where id = ?`, [note.id]))
    const seen: unknown[] = []
    await using follower = subscribe(daybook, 'personal', async events => void seen.push(...events.map(({ after }) => after?.author)), {
      scope: { tenant, actor },
      pollMs: 10,
    })
    await follower.caughtUp()
    expect(seen).toEqual(['Ada', 'Grace'])
  })

  test('can’t be brought to light by somebody who writes its mark into a field of their own', async () => {
    const { note } = await diaryOf('Ada')
    await transact(em => em.execute(`update note set author = 'Grace' where id = ?`, [note.id]))
    const marks = [...new Set([...(await dump()).matchAll(/daybook:(?:sealed|personal):[^"]+/g)].map(([mark]) => mark))]
    expect(marks.length).toBeGreaterThan(2)
    const em = scope()
    for (const mark of marks) em.create(Note, { title: mark, data: { author: mark } })
    await em.flush()
    const titles = (await asOf(scope(), new Date()).find(Note, { title: { $like: 'daybook:%' } })).map(({ title, data }) => [title, data])
    expect(new Set(titles)).toEqual(new Set(marks.map(mark => [mark, { author: mark }])))
    const told = (await feed(scope(), { entity: Note })).items.map(({ after }) => after?.title)
    expect(told).toEqual(expect.arrayContaining(marks))
  })
})

describe('a person who is erased', () => {
  async function erasedNote() {
    const { em, note } = await diaryOf('Ada')
    await transact(inner => inner.execute(`update note set author = 'Grace' where id = ?`, [note.id]))
    await transact(inner => erasePerson(inner, note.id))
    em.clear()
    return note
  }

  test('reads as erased everywhere, and everything else is told as before', async () => {
    const note = await erasedNote()
    expect(await authorsIn(note)).toEqual([
      { property: 'author', after: erased },
      { property: 'author', before: erased, after: erased },
    ])
    expect(await asOf(scope(), new Date()).findOneOrFail(Note, note.id)).toMatchObject({ title: 'kept', author: erased, diary: erased })
    expect(await beside()).toEqual([])
    await agree()
    const told = await scope().find(AuditEvent, { tenantId: tenant, type: 'person.erased' })
    expect(told.map(({ after }) => after)).toEqual([{ person: note.id }])
  })

  test('stays erased: what is written afterwards is not told either, by whatever route', async () => {
    const note = await erasedNote()
    const em = scope()
    const found = await em.findOneOrFail(Note, note.id)
    found.author = 'Somebody'
    await em.flush()
    await transact(inner => inner.execute(`update note set author = 'Again' where id = ?`, [note.id]))
    expect(await dump()).not.toMatch(/Somebody|Again/)
    expect(await beside()).toEqual([])
    expect((await authorsIn(note)).at(-1)).toEqual({ property: 'author', before: erased, after: erased })
    const again = await transact(inner =>
      inner.execute<unknown[]>(`update audit_person_key set sealed_key = 'x', erased_at = null where person_id = ? returning 1`, [note.id]),
    )
    expect(again).toEqual([])
  })

  test('can’t be brought back by reverting or restoring', async () => {
    const note = await erasedNote()
    const [, update] = await history(scope(), note)
    await expect(revert(scope(), update!.event)).rejects.toMatchObject({ code: 'history.value_erased' })
    await transact(em => em.execute('delete from note where id = ?', [note.id]))
    await expect(restore(scope(), [Note, note.id])).rejects.toMatchObject({ code: 'history.value_erased' })
  })

  test('of whom only the sentinel had told gets no key any more', async () => {
    const id = newId()
    await transact(em =>
      em.execute(`insert into note (id, tenant_id, title, labels, data, version, author) values (?, ?, 't', '{}', '{}', 1, 'Ada')`, [
        id,
        tenant,
      ]),
    )
    await transact(em => erasePerson(em, id))
    expect(await authorsIn([Note, id])).toEqual([{ property: 'author', after: erased }])
    await transact(async em => {
      ;(await em.findOneOrFail(Note, id)).author = 'Grace'
    })
    expect((await authorsIn([Note, id])).at(-1)).toEqual({ property: 'author', before: erased, after: erased })
  })

  test('is erased for nobody when the transaction doesn’t commit', async () => {
    const { note } = await diaryOf('Ada')
    await transact(async em => {
      await erasePerson(em, note.id)
      throw new Error('no')
    }).catch(() => undefined)
    expect(await authorsIn(note)).toEqual([{ property: 'author', after: 'Ada' }])
  })

  test('is out of another tenant’s reach', async () => {
    const { note } = await diaryOf('Ada')
    await transact(em => em.execute(`update note set author = 'Grace' where id = ?`, [note.id]))
    await daybook.transact({ tenant: newId(), actor }, async em => {
      await erasePerson(em, note.id)
      expect(await em.execute('select * from audit_personal')).toEqual([])
      expect(await em.execute('select * from audit_person_key where sealed_key is not null')).toEqual([])
    })
    expect((await authorsIn(note)).at(-1)).toEqual({ property: 'author', before: 'Ada', after: 'Grace' })
  })
})

describe('master keys', () => {
  test('can be replaced, and what an earlier one sealed is not taken for erased where it is missing', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'daybook-test-'))
    const [first, second] = [newKey().toString('base64'), newKey().toString('base64')]
    const options = { dataDirectory: directory, entities, migrations, logQueries: false }
    let id = ''
    const within = async (masterKeys: string[], work: (em: ScopedEntityManager) => Promise<void>) => {
      await using opened = await openDaybook({ ...options, masterKeys })
      await work(opened.scope({ tenant, actor }))
    }
    try {
      await within([first], async em => {
        const note = em.create(Note, { title: 't', author: 'Ada' })
        await em.flush()
        id = note.id
      })
      await within([second], async em => {
        await expect(history(em, [Note, id])).rejects.toMatchObject({ code: 'audit.person_key_locked' })
        ;(await em.findOneOrFail(Note, id)).author = 'Grace'
        await expect(em.flush()).rejects.toMatchObject({ code: 'audit.person_key_locked' })
      })
      await within([second, first], async em => {
        ;(await em.findOneOrFail(Note, id)).author = 'Grace'
        await em.flush()
        expect((await history(em, [Note, id])).at(-1)!.changes).toContainEqual({ property: 'author', before: 'Ada', after: 'Grace' })
      })
    } finally {
      await rm(directory, { recursive: true, force: true })
    }
  })

  test('of an embedded database lie beside it, for its user alone', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'daybook-test-'))
    try {
      vi.stubEnv('DAYBOOK_MASTER_KEY', undefined)
      await (await openDaybook({ dataDirectory: directory, logQueries: false })).close()
      expect((await stat(join(directory, 'master.key'))).mode & 0o777).toBe(0o600)
    } finally {
      vi.unstubAllEnvs()
      await rm(directory, { recursive: true, force: true })
    }
  })
})

test('a property that can’t hold a sealed value can’t be personal', async () => {
  class Patient extends TenantRow {
    declare height: number
  }
  const patient = tenantEntity({ class: Patient, properties: { height: p.integer() }, audit: { personal: ['height'] } })
  const options = embeddedOptions(modelWith({ entities: [patient] }), async () => (await openEmbeddedDatabase()).pglite, { queries: false })
  await expect(MikroORM.init(options)).rejects.toMatchObject({ code: 'model.personal_type' })
})
