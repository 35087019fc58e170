import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { systemActor } from '../../src/context/index.ts'
import { ContentEntry, contentStatuses, contentTransitions, inLocale, Organization, searchContent } from '../../src/entities.ts'
import { newId } from '../../src/kernel/id.ts'
import type { Daybook, ScopedEntityManager } from '../../src/orm/index.ts'
import { replayProblems } from '../../src/readers/index.ts'
import { openTestDatabase, type TestDatabase } from '../../src/testing/index.ts'
import { administer } from '../../src/testing/test-server.ts'

let database: TestDatabase
let daybook: Daybook
let tenant: string

beforeAll(async () => {
  database = await openTestDatabase()
  daybook = database.daybook
})
afterAll(() => daybook.close())
beforeEach(() => {
  tenant = newId()
})

const at = new Date('2026-11-23T10:00:00Z')
const later = new Date('2026-11-24T10:00:00Z')
const work = <T>(does: (em: ScopedEntityManager) => Promise<T>): Promise<T> =>
  daybook.transact({ tenant, actor: systemActor('editor') }, does)
const write = (more: Partial<ContentEntry> = {}, publishedAt?: Date) =>
  work(async em => {
    const entry = em.create(ContentEntry, { type: 'page', slug: 'about', locale: 'en', title: 'About', body: 'Us', ...more })
    if (publishedAt) entry.publish(publishedAt)
    return entry
  })
const read = async (locale: string, when = at, slug = 'about') => (await work(em => inLocale(em, 'page', slug, locale, when)))?.locale

describe('an entry', () => {
  const moves: Readonly<Record<string, (entry: ContentEntry) => void>> = {
    DRAFT: entry => entry.unpublish(),
    PUBLISHED: entry => entry.publish(at),
    ARCHIVED: entry => entry.archive(),
  }

  test.each(contentStatuses.flatMap(from => contentStatuses.map(to => [from, to] as const)))(
    'that is %s becomes %s only if it may',
    (from, to) => {
      const entry = Object.assign(new ContentEntry(), { status: from, title: 'A', body: 'B' })
      if (contentTransitions[from].includes(to)) {
        moves[to]!(entry)
        expect(entry.status).toBe(to)
      } else {
        expect(() => moves[to]!(entry)).toThrow(expect.objectContaining({ code: 'state.transition_refused' }))
        expect(entry.status).toBe(from)
      }
    },
  )

  test.each([
    [{ title: ' ' }, ['title']],
    [{ body: '\n' }, ['body']],
    [{ title: '', body: '' }, ['title', 'body']],
  ])('with %j isn’t published, by the database neither', async (more, missing) => {
    await expect(write(more, at)).rejects.toMatchObject({ code: 'content.entry_incomplete', details: { missing } })
    await write(more)
    const sql = `update content_entry set status = 'PUBLISHED', published_at = now()`
    await expect(work(em => em.execute(sql))).rejects.toMatchObject({ code: '23514' })
  })

  test('keeps its address while it is published', async () => {
    const { id } = await write({}, at)
    const entry = (em: ScopedEntityManager) => em.findOneOrFail(ContentEntry, id)
    await expect(work(async em => (await entry(em)).rename('us'))).rejects.toMatchObject({ code: 'content.address_fixed' })
    for (const change of [`slug = 'us'`, `locale = 'fr'`, `type = 'post'`, `slug = 'us', status = 'DRAFT', published_at = null`]) {
      await expect(work(em => em.execute(`update content_entry set ${change}`))).rejects.toMatchObject({ code: '23514' })
    }
    await work(async em => {
      const found = await entry(em)
      found.title = 'About us'
      found.rename('about')
    })
    await work(async em => (await entry(em)).unpublish())
    await work(async em => (await entry(em)).rename('us'))
    expect(await work(entry)).toMatchObject({ slug: 'us', title: 'About us', status: 'DRAFT', publishedAt: null })
    await work(async em => expect(await replayProblems(em)).toEqual([]))
  })

  test('is alone at its address', async () => {
    await write()
    await write({ locale: 'fr' })
    await write({ type: 'post' })
    await expect(write()).rejects.toMatchObject({ code: '23505' })
  })

  test.each([{ slug: 'About us' }, { slug: '-a' }, { locale: 'FR' }, { locale: 'fr_CA' }, { locale: 'french' }])(
    'at %j is refused',
    async more => {
      await expect(write(more)).rejects.toMatchObject({ code: '23514' })
    },
  )

  test('that two change at once is changed by one', async () => {
    const { id } = await write()
    const change = (title: string) =>
      work(async em => {
        const entry = await em.findOneOrFail(ContentEntry, id)
        await new Promise(resolve => setTimeout(resolve, 20))
        entry.title = title
      })
    const results = await Promise.allSettled([change('a'), change('b')])
    const { title, version } = await work(em => em.findOneOrFail(ContentEntry, id))
    // The embedded database lets them take turns, so there both succeed.
    expect(version).toBe(1 + results.filter(({ status }) => status === 'fulfilled').length)
    expect(['a', 'b']).toContain(title)
  })
})

describe('a reader', () => {
  test('sees what is published, from its time on', async () => {
    expect(await read('en')).toBeUndefined()
    const { id } = await write()
    expect(await read('en')).toBeUndefined()
    await work(async em => (await em.findOneOrFail(ContentEntry, id)).publish(later))
    expect(await read('en', at)).toBeUndefined()
    expect(await read('en', later)).toBe('en')
    const entry = await work(em => em.findOneOrFail(ContentEntry, id))
    expect([entry.isVisible(at), entry.isVisible(later)]).toEqual([false, true])
    await work(async em => (await em.findOneOrFail(ContentEntry, id)).archive())
    expect(await read('en', later)).toBeUndefined()
  })

  test('gets their own words, or those of their language, or those of the organization', async () => {
    await work(async em => void em.create(Organization, { id: tenant, slug: `o-${tenant}`, name: 'O', defaultLocale: 'de-CH' }))
    const seen: (string | undefined)[] = []
    for (const locale of [undefined, 'es', 'de', 'de-CH', 'fr', 'fr-CA']) {
      if (locale) await write({ locale }, at)
      seen.push(await read('fr-CA'))
    }
    expect(seen).toEqual([undefined, undefined, 'de', 'de-CH', 'fr', 'fr-CA'])
    expect(await read('fr-ca')).toBe('fr-CA')
    expect(await read('fr-FR')).toBe('fr')
    expect(await read('zh-Hant-TW')).toBe('de-CH')
    expect(await read('fr-CA', at, 'other')).toBeUndefined()
  })

  test('falls back from a draft, and from what comes later', async () => {
    await write({ locale: 'fr' }, at)
    await write({ locale: 'fr-CA' }, later)
    expect(await read('fr-CA', at)).toBe('fr')
    expect(await read('fr-CA', later)).toBe('fr-CA')
  })

  test('asks in a locale', async () => {
    await expect(read('not a locale')).rejects.toMatchObject({ code: 'content.locale_invalid' })
  })

  test('sees nothing of another organization', async () => {
    await write({}, at)
    tenant = newId()
    expect(await read('en')).toBeUndefined()
  })
})

describe('the search', () => {
  const found = async (words: string, locale = 'en', when = at) =>
    (await searchContent(daybook.scope({ tenant, actor: systemActor('reader') }), words, { locale, at: when })).map(({ slug }) => slug)

  test('finds words as their language declines them, the best first', async () => {
    await write({ slug: 'title', title: 'Opening hours' }, at)
    await write({ slug: 'body', body: 'We open at nine' }, at)
    await write({ slug: 'none' }, at)
    await write({ slug: 'french', locale: 'fr-CA', title: 'Ouvertures' }, at)
    expect(await found('opened')).toEqual(['title', 'body'])
    expect(await found('open -hours')).toEqual(['body'])
    expect(await found('ouverture', 'fr')).toEqual(['french'])
    expect(await found('ouverture', 'en')).toEqual([])
    expect(await found('no such thing')).toEqual([])
  })

  test('finds what readers may see, and nothing of others', async () => {
    await write({ slug: 'draft', title: 'Rabbits' })
    await write({ slug: 'later', title: 'Rabbits' }, later)
    await write({ slug: 'now', title: 'Rabbits' }, at)
    expect(await found('rabbit')).toEqual(['now'])
    expect((await found('rabbit', 'en', later)).toSorted()).toEqual(['later', 'now'])
    tenant = newId()
    expect(await found('rabbit')).toEqual([])
  })

  test('follows what is written, and the log doesn’t tell it', async () => {
    const { id } = await write({ title: 'Rabbits' }, at)
    await work(em => em.execute(`update content_entry set title = 'Foxes' where id = ?`, [id]))
    expect([await found('rabbit'), await found('fox')]).toEqual([[], ['about']])
    const told = await work(em => em.execute<{ after: object }[]>('select after from audit_event where entity_id = ?', [id]))
    expect(told).toHaveLength(2)
    expect(JSON.stringify(told)).not.toContain('search_vector')
    await work(async em => expect(await replayProblems(em)).toEqual([]))
  })

  test('is served by its index under row level security', async () => {
    const { urls } = database
    if (!urls) return // The embedded database has no statistics to read.
    await work(em =>
      em.execute(
        `insert into content_entry (id, tenant_id, type, slug, locale, title, body, status, published_at)
           select gen_random_uuid(), ?, 'post', 'p-' || n, 'en', 'Title', 'word' || n, 'PUBLISHED', ? from generate_series(1, 5000) n`,
        [tenant, at],
      ),
    )
    await administer(urls.administrator, 'analyze content_entry')
    const scans = async () => {
      const sql = `select idx_scan::int as scans from pg_stat_user_indexes where indexrelname = 'content_entry_search'`
      return (await administer(urls.administrator, sql))[0]!.scans as number
    }
    const before = await scans()
    const search = async (em: ScopedEntityManager) => {
      await em.execute('select pg_stat_force_next_flush()')
      return searchContent(em, 'word4711', { locale: 'en', at })
    }
    expect((await work(search)).map(({ slug }) => slug)).toEqual(['p-4711'])
    await expect.poll(scans, { timeout: 20_000 }).toBeGreaterThan(before)
  })
})
