import { defineEntity, type EntitySchema, MikroORM, p, UniqueConstraintViolationException } from '@mikro-orm/core'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { erased, erasePerson } from '../../src/audit/index.ts'
import { userActor } from '../../src/context/index.ts'
import { newId } from '../../src/kernel/id.ts'
import { modelWith } from '../../src/model.ts'
import {
  currentUserSql,
  type Daybook,
  embeddedOptions,
  type Entity,
  isolationProblems,
  openEmbeddedDatabase,
  type ScopedEntityManager,
  tenantEntity,
  TenantRow,
} from '../../src/orm/index.ts'
import { asOf, history, replayProblems, restore } from '../../src/readers/index.ts'
import { openTestDaybook } from '../../src/testing/index.ts'
import { Album, Cat, Contact, Dog, entities, migrations, Song, Thing, Vault } from './declared-model.ts'

/** What an entity says of secrets and people holds wherever they are stored, or is refused before anything is. */
let daybook: Daybook
let tenant: string
const [ada, bob] = [userActor(newId()), userActor(newId())]
const scope = () => daybook.scope({ tenant, actor: ada })
const transact = <T>(work: (em: ScopedEntityManager) => Promise<T>) => daybook.transact({ tenant, actor: ada }, work)
const agree = async () => expect(await transact(em => replayProblems(em))).toEqual([])
/** All that the log holds, as anybody with a dump of it would read it. */
const dump = () =>
  transact(async em => {
    const rows = await em.execute<{ text: string }[]>('select row_to_json(e)::text as text from audit_event e where tenant_id = ?', [
      tenant,
    ])
    return rows.map(({ text }) => text).join('\n')
  })

beforeAll(async () => {
  daybook = await openTestDaybook({ entities, migrations })
})
afterAll(() => daybook.close())
beforeEach(() => {
  tenant = newId()
})

describe('an embedded object without a column of its own', () => {
  async function vault() {
    const em = scope()
    const made = em.create(Vault, {
      title: 'kept',
      keys: { name: 'front door', token: 'open sesame' },
      holder: { name: 'Ada Lovelace', token: 'ada@example.com' },
    })
    await em.flush()
    return { em, made }
  }

  test('that is secret never reaches the log, by either writer', async () => {
    const { em, made } = await vault()
    made.keys!.token = 'open barley'
    await em.flush()
    await transact(inner => inner.execute(`update vault set keys_token = 'open wheat', keys_name = 'back door'`))
    await transact(inner => inner.execute(`delete from vault`))
    const text = await dump()
    for (const word of ['door', 'sesame', 'barley', 'wheat']) expect(text).not.toContain(word)
    expect(text).toContain('keys_token')
    expect((await history(scope(), [Vault, made.id])).flatMap(({ changes }) => changes)).toContainEqual({ property: 'keys.token' })
    await agree()
  })

  test('that tells of a person is sealed in each of its columns, and gone with the person', async () => {
    const { em, made } = await vault()
    made.holder!.name = 'Ada Byron'
    await em.flush()
    await transact(inner => inner.execute(`update vault set holder_token = 'byron@example.com'`))
    const text = await dump()
    for (const word of ['Ada', 'Byron', 'example.com']) expect(text).not.toContain(word)
    const told = async () => (await history(scope(), [Vault, made.id])).flatMap(({ changes }) => changes)
    expect(await told()).toContainEqual({ property: 'holder.name', before: 'Ada Lovelace', after: 'Ada Byron' })
    expect(await told()).toContainEqual({ property: 'holder.token', before: 'ada@example.com', after: 'byron@example.com' })
    expect(await asOf(scope(), new Date()).findOneOrFail(Vault, made.id)).toMatchObject({ holder: { name: 'Ada Byron' } })
    await agree()
    await transact(inner => erasePerson(inner, made.id))
    expect(await told()).toContainEqual({ property: 'holder.name', before: erased, after: erased })
    await transact(inner => inner.nativeDelete(Vault, made.id))
    await expect(restore(scope(), [Vault, made.id])).rejects.toMatchObject({ code: 'history.value_erased' })
  })
})

test('a child of a tree keeps back what is its own', async () => {
  const em = scope()
  const cat = em.create(Cat, { name: 'Tom', pin: '1234', owner: 'Ada Lovelace' } as never)
  em.create(Dog, { name: 'Rex', chip: 'chip 7' } as never)
  await em.flush()
  await transact(inner => inner.execute(`update beast set pin = '5678', owner = 'Grace Hopper' where kind = 'cat'`))
  const text = await dump()
  for (const word of ['1234', '5678', 'Ada', 'Grace']) expect(text).not.toContain(word)
  expect(text).toContain('chip 7')
  expect((await history(scope(), cat)).flatMap(({ changes }) => changes)).toEqual(
    expect.arrayContaining([{ property: 'pin' }, { property: 'owner', before: 'Ada Lovelace', after: 'Grace Hopper' }]),
  )
  await agree()
})

describe('whose a row is', () => {
  const refused = { code: 'tenancy.identity_immutable' }

  test('never changes, so that nothing of a person is left under somebody else’s key', async () => {
    const em = scope()
    const hers = em.create(Contact, { who: ada.id, name: 'Ada' })
    const nobodys = em.create(Contact, { name: 'somebody' })
    await em.flush()
    hers.who = bob.id
    hers.name = 'Bob'
    await expect(em.flush()).rejects.toMatchObject(refused)
    await expect(
      transact(inner => inner.execute('update contact set who = ?, name = ? where id = ?', [bob.id, 'Bob', hers.id])),
    ).rejects.toMatchObject(refused)
    await expect(transact(inner => inner.nativeUpdate(Contact, nobodys.id, { who: ada.id, name: 'Ada' }))).rejects.toMatchObject(refused)
    await transact(inner => erasePerson(inner, ada.id))
    expect(await history(scope(), hers)).toMatchObject([{ changes: expect.arrayContaining([{ property: 'name', after: erased }]) }])
    await agree()
  })

  test('nor does whose log tells of it, or neither log would give it back', async () => {
    const em = scope()
    const thing = em.create(Thing, { holder: tenant, text: 'a' })
    await em.flush()
    thing.holder = ada.id
    await expect(em.flush()).rejects.toMatchObject(refused)
    await expect(transact(inner => inner.execute('update thing set holder = ?', [ada.id]))).rejects.toMatchObject(refused)
  })
})

describe('an ordered relation', () => {
  async function album() {
    const em = scope()
    const songs = ['a', 'b', 'c'].map(title => em.create(Song, { title }))
    const made = em.create(Album, { title: 'first' })
    made.songs.set(songs.slice(0, 2))
    await em.flush()
    return { em, made, songs }
  }
  const then = async ({ id }: Album) =>
    (await asOf(scope(), new Date()).findOneOrFail(Album, id, { populate: ['songs'] })).songs.getItems().map(({ title }) => title)

  test('is put into another order by the unit of work, and links come and go by any route', async () => {
    const { em, made, songs } = await album()
    made.songs.set([songs[2]!, songs[1]!, songs[0]!])
    await em.flush()
    expect(await then(made)).toEqual(['c', 'b', 'a'])
    await transact(inner => inner.execute('delete from album_song where song_id = ?', [songs[1]!.id]))
    await transact(inner => inner.execute('insert into album_song (album_id, song_id) values (?, ?)', [made.id, songs[1]!.id]))
    expect(await then(made)).toEqual(['c', 'a', 'b'])
    await agree()
  })

  test('has no link that is changed in its place, twice there, or put before another', async () => {
    const { made, songs } = await album()
    const run = (sql: string, ...values: unknown[]) => transact(inner => inner.execute(sql, values))
    const [a, , c] = songs.map(({ id }) => id)
    await expect(run('update album_song set song_id = ? where song_id = ?', c, a)).rejects.toMatchObject({
      code: 'tenancy.identity_immutable',
      details: { columns: 'tenant_id, album_id, song_id, id' },
    })
    await expect(run('update album_song set id = id + 100 where song_id = ?', a)).rejects.toMatchObject({
      code: 'tenancy.identity_immutable',
    })
    await expect(run('insert into album_song (album_id, song_id) values (?, ?)', made.id, a)).rejects.toBeInstanceOf(
      UniqueConstraintViolationException,
    )
    await expect(run('insert into album_song (id, album_id, song_id) values (0, ?, ?)', made.id, c)).rejects.toThrow(
      /would come before one that is there/,
    )
    expect(await then(made)).toEqual(['a', 'b'])
    await agree()
  })
})

test('what was told before its column was declared personal is read as it was told', async () => {
  const id = newId()
  const told = { title: 't', holder_name: 'Ada King Lovelace', holder_token: 'x', papers: { passport: 'one of many', stamps: [1, 2] } }
  await transact(async em => {
    await em.execute(`select set_config('daybook.unit_of_work', 'on', true)`)
    await em.execute(`insert into vault (id, tenant_id, title, holder_name, holder_token, papers) values (?, ?, ?, ?, ?, ?::jsonb)`, [
      id,
      tenant,
      told.title,
      told.holder_name,
      told.holder_token,
      JSON.stringify(told.papers),
    ])
    await em.execute(
      `insert into audit_event (tenant_id, type, entity, entity_id, after) values (?, 'vault.created', 'vault', ?, ?::json)`,
      [tenant, id, JSON.stringify(told)],
    )
  })
  const { holder, papers } = await asOf(scope(), new Date()).findOneOrFail(Vault, id)
  expect([holder!.name, papers]).toEqual([told.holder_name, told.papers])
  const [created] = await history(scope(), [Vault, id])
  expect(created!.changes).toEqual(
    expect.arrayContaining([
      { property: 'holder.name', after: told.holder_name },
      { property: 'papers', after: told.papers },
    ]),
  )
})

test('a database whose sentinel knows less than the entity declares is found out', async () => {
  const meta = daybook.orm.getMetadata().get(Vault)
  const sentinel = meta.triggers.find(({ name }) => name === 'audit_update')!
  const declared = sentinel.expression!
  sentinel.expression = declared.replace('{keys_name,keys_token}', '{keys_name,keys_token,title}')
  try {
    const run = (sql: string) => daybook.orm.driver.getConnection().execute(sql)
    expect(await isolationProblems(run, daybook.orm.getMetadata())).toEqual([
      expect.stringMatching(/trigger "audit_update" of table vault, .* knows nothing of title, as its entity declares now/),
    ])
  } finally {
    sentinel.expression = declared
  }
})

describe('start-up refuses', () => {
  class Stamp extends TenantRow {
    declare version: Date
  }
  class Secretive extends TenantRow {
    declare text: string
  }
  class Owned extends TenantRow {
    declare whose: string
    declare text: string
  }
  class Measured {
    declare height: number
  }
  class Patient extends TenantRow {
    declare body: Measured
  }
  const MeasuredSchema = defineEntity({
    class: Measured,
    embeddable: true,
    properties: { height: p.integer() },
  }) as unknown as EntitySchema<Measured>
  const owned = { class: Owned, properties: { whose: p.uuid(), text: p.text() } }
  const reads = { name: 'mine', using: `whose = ${currentUserSql}` }

  test.each<[string, string, () => readonly Entity[]]>([
    [
      'a version that is a moment',
      'model.version_type',
      () => [tenantEntity({ class: Stamp, properties: { version: p.datetime().version() } })],
    ],
    [
      'a secret that no column holds',
      'model.property_not_stored',
      () => [tenantEntity({ class: Secretive, properties: { text: p.text().persist(false) }, audit: { secret: ['text'] } })],
    ],
    [
      'an embedded number that tells of a person',
      'model.personal_type',
      () => [
        MeasuredSchema,
        tenantEntity({ class: Patient, properties: { body: () => p.embedded(Measured) }, audit: { personal: ['body'] } }),
      ],
    ],
    [
      'a person who is known by a text',
      'model.owner_type',
      () => [
        tenantEntity({ class: Owned, properties: { whose: p.text(), text: p.text() }, audit: { person: 'whose', personal: ['text'] } }),
      ],
    ],
    ['rows that are hidden now and told of in the past', 'model.hidden_past', () => [tenantEntity({ ...owned, restrictions: [reads] })]],
  ])('%s', async (_what, code, made) => {
    await expect(initialised(made())).rejects.toMatchObject({ code })
  })

  test('no restriction of what may be written, and none of an entity that isn’t recorded', async () => {
    for (const options of [{ restrictions: [{ ...reads, command: 'update' as const }] }, { restrictions: [reads], audit: false as const }])
      await (await initialised([tenantEntity({ ...owned, ...options })])).close()
  })

  function initialised(more: readonly Entity[]): Promise<MikroORM> {
    return MikroORM.init(
      embeddedOptions(modelWith({ entities: more }), async () => (await openEmbeddedDatabase()).pglite, { queries: false }),
    )
  }
})
