import { wrap } from '@mikro-orm/core'
import fc from 'fast-check'
import { newId } from '../../src/kernel/id.ts'
import { isObject } from '../../src/kernel/is-object.ts'
import type { ScopedEntityManager } from '../../src/orm/index.ts'
import { Bill, Letter, Line, Note, Paper, Tag } from './model.ts'

/** One step of somebody's work: what is done, to which row, by which route. Numbers choose among what is there. */
export interface Step {
  readonly what: keyof typeof steps
  readonly which: number
  readonly other: number
  readonly text: string
  readonly value: unknown
}

/** A transaction, or a savepoint in one. */
export interface Work {
  readonly steps: readonly (Step | Work)[]
  readonly isUndone: boolean
}

class Undone extends Error {}

/** At least `fewest` steps, in transactions with savepoints, some of which are rolled back. */
export function randomWork(fewest: number): fc.Arbitrary<Work[]> {
  const step: fc.Arbitrary<Step> = fc.record({
    what: fc.constantFrom(...(Object.keys(steps) as (keyof typeof steps)[])),
    which: fc.nat(1_000),
    other: fc.nat(1_000),
    text: fc.oneof(fc.string({ maxLength: 12 }), fc.constantFrom('', '"', '\\', '{}', 'null', 'é', '\n', `'`)).map(withoutNul),
    value: fc.jsonValue({ maxDepth: 2 }).map(value => JSON.parse(withoutNul(JSON.stringify(readable(value)))) as unknown),
  })
  const { work } = fc.letrec<{ work: Work }>(tie => ({
    work: fc.record({
      steps: fc.array(fc.oneof({ depthSize: 'small' }, { arbitrary: step, weight: 12 }, { arbitrary: tie('work'), weight: 1 }), {
        minLength: 6,
        maxLength: 14,
      }),
      isUndone: fc.nat(5).map(chance => chance === 0),
    }),
  }))
  return fc.array(work, { minLength: Math.ceil(fewest / 22), maxLength: Math.ceil(fewest / 20) }).filter(all => countSteps(all) >= fewest)
}

/** PostgreSQL's text has no NUL, and its JSON no lone half of a surrogate pair. */
function withoutNul(text: string): string {
  return text.replaceAll(/\\u0000|\0|\\u[dD][89a-fA-F][0-9a-fA-F]{2}/g, '').toWellFormed()
}

/**
 * V8 takes a key that begins with an escape for a backslash, once it has read an object with that key in its place (nodejs/node#63785): what
 * stands in the table is then read wrong, by whomever. So no key has one.
 */
function readable(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(readable)
  if (!isObject(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [readableKey(key), readable(inner)]))
}

const readableKey = (key: string) => key.replaceAll('\\', '/')

export function countSteps(work: readonly (Step | Work)[]): number {
  return work.reduce((sum, item) => sum + ('steps' in item ? countSteps(item.steps) : 1), 0)
}

/** Does it. What the database refuses (a unique code taken twice, a version that is stale) undoes its transaction, as it would for anybody. */
export async function perform(work: Work, em: ScopedEntityManager): Promise<void> {
  for (const item of work.steps) {
    if (!('steps' in item)) await steps[item.what](em, item)
    else await em.transactional(inner => perform(item, inner)).catch(rethrowUnlessUndone)
  }
  if (work.isUndone) {
    await em.flush()
    throw new Undone()
  }
}

export function rethrowUnlessUndone(error: unknown): void {
  if (!(error instanceof Undone)) throw error
}

/** One of the first few rows, or none. */
async function pick<T extends object>(em: ScopedEntityManager, type: new () => T, which: number): Promise<T | undefined> {
  const [row] = await em.find(type as never, {}, { orderBy: { id: 'asc' } as never, offset: which % 5, limit: 1 })
  return row as T | undefined
}

async function idOf(em: ScopedEntityManager, table: string, which: number): Promise<string | undefined> {
  await em.flush()
  const [row] = await em.execute<{ id: string }[]>(`select id from "${table}" order by id offset ${which % 5} limit 1`)
  return row?.id
}

const details = ({ which, other, text, value }: Step) => ({
  stars: which,
  views: which % 3 ? `${other}${which}0000000` : null,
  price: which % 2 ? `${other}.${String(which % 100).padStart(2, '0')}` : null,
  ratio: which % 4 ? which / (other + 1) : null,
  isOpen: which % 2 === 0,
  dueOn: which % 5 ? `2026-0${1 + (which % 9)}-1${other % 10}` : null,
  seenAt: which % 3 ? new Date(1_700_000_000_000 + which * 7_919_003) : null,
  labels: [text, String(other)].slice(0, which % 3),
  raw: which % 3 ? new Uint8Array([which % 256, other % 256]) : null,
  data: { value, [`k${which % 3}`]: text } as Record<string, unknown>,
  place: which % 2 ? { city: text, zip: null } : null,
  origin: other % 2 ? { city: text, zip: String(which) } : null,
  secretWord: text,
  author: which % 4 ? text : null,
  diary: other % 3 ? { [readableKey(text)]: value } : null,
})

const steps = {
  createNote: async (em: ScopedEntityManager, step: Step) => {
    em.create(Note, { title: step.text, code: step.which % 7 ? null : `C${step.other % 20}`, ...details(step) })
  },
  createNoteWithChildren: async (em: ScopedEntityManager, { text, which }: Step) => {
    const parent = em.create(Note, { title: text })
    const child = em.create(Note, { title: text, parent })
    if (which % 2) parent.parent = wrap(child).toReference()
    em.create(Line, { note: child, text })
    child.tags.add(em.create(Tag, { label: text }))
  },
  createTag: async (em: ScopedEntityManager, { text }: Step) => void em.create(Tag, { label: text }),
  createPaper: async (em: ScopedEntityManager, { text, which }: Step) => {
    if (which % 2) em.create(Letter, { subject: text, greeting: which % 3 ? text : null } as never)
    else em.create(Bill, { subject: text, cents: `${which}` } as never)
  },
  flush: async (em: ScopedEntityManager) => em.flush(),
  clear: async (em: ScopedEntityManager) => {
    await em.flush()
    em.clear()
  },
  changeNote: async (em: ScopedEntityManager, step: Step) => {
    const note = await pick(em, Note, step.which)
    if (note) em.assign(note, { title: step.text, ...details(step) } as never)
  },
  changeOneThing: async (em: ScopedEntityManager, { which, text, value }: Step) => {
    const note = await pick(em, Note, which)
    if (note) em.assign(note, (which % 2 ? { title: text } : { data: { ...note.data, one: value } }) as never)
  },
  changeByReference: async (em: ScopedEntityManager, { which, text }: Step) => {
    const id = await idOf(em, 'note', which)
    em.clear()
    if (id) em.getReference(Note, id).title = text
  },
  changePaper: async (em: ScopedEntityManager, { which, text }: Step) => {
    const paper = await pick(em, Paper, which)
    if (paper) paper.subject = text
  },
  adopt: async (em: ScopedEntityManager, { which, other }: Step) => {
    const [child, parent] = [await pick(em, Note, which), await pick(em, Note, other)]
    if (child && parent) child.parent = which % 5 ? wrap(parent).toReference() : null
  },
  tag: async (em: ScopedEntityManager, { which, other }: Step) => {
    const [note, tag] = [await pick(em, Note, which), await pick(em, Tag, other)]
    if (!note || !tag) return
    await note.tags.init()
    if (note.tags.contains(tag)) note.tags.remove(tag)
    else note.tags.add(tag)
  },
  retag: async (em: ScopedEntityManager, { which, other }: Step) => {
    const [note, tag] = [await pick(em, Note, which), await pick(em, Tag, other)]
    if (note && tag) note.tags.set([tag])
  },
  pin: async (em: ScopedEntityManager, { which }: Step) => {
    const note = await pick(em, Note, which)
    if (!note) return
    await note.pinned.init()
    const tags = await em.find(Tag, {}, { limit: 1 + (which % 3), orderBy: { id: which % 2 ? 'asc' : 'desc' } })
    note.pinned.set(tags)
  },
  addLine: async (em: ScopedEntityManager, { which, text }: Step) => {
    const note = await pick(em, Note, which)
    if (note) em.create(Line, { note, text })
  },
  moveLine: async (em: ScopedEntityManager, { which, other }: Step) => {
    const [line, note] = [await pick(em, Line, which), await pick(em, Note, other)]
    if (line && note) line.note = wrap(note).toReference()
  },
  dropLines: async (em: ScopedEntityManager, { which }: Step) => {
    const note = await pick(em, Note, which)
    if (note) (await note.lines.init()).removeAll()
  },
  removeNote: async (em: ScopedEntityManager, { which }: Step) => {
    await em.flush()
    const note = await pick(em, Note, which)
    if (!note) return
    em.remove(note)
    await em.flush()
    em.clear()
  },
  removeByReference: async (em: ScopedEntityManager, { which }: Step) => {
    const id = await idOf(em, 'tag', which)
    em.clear()
    if (!id) return
    em.remove(em.getReference(Tag, id))
    await em.flush()
    em.clear()
  },
  nativeInsert: async (em: ScopedEntityManager, step: Step) => {
    const rows = [1, 2].map(() => ({
      id: newId(),
      tenantId: em.getFilterParams<{ scope: { tenantId: string } }>('tenant').scope.tenantId,
      label: step.text,
    }))
    await (step.which % 2 ? em.insertMany(Tag, rows) : em.upsertMany(Tag, rows))
  },
  nativeUpdate: async (em: ScopedEntityManager, { which, other, text }: Step) => {
    await em.flush()
    await em.nativeUpdate(Note, which % 4 ? { stars: { $gt: other } } : {}, { title: text, version: 1 })
    em.clear()
  },
  nativeDelete: async (em: ScopedEntityManager, { which }: Step) => {
    const id = await idOf(em, 'line', which)
    if (id) await em.nativeDelete(Line, id)
    em.clear()
  },
  queryBuilder: async (em: ScopedEntityManager, { which, text }: Step) => {
    const id = await idOf(em, 'paper', which)
    if (id) await em.createQueryBuilder(Paper).update({ subject: text }).where({ id }).execute()
    em.clear()
  },
  kysely: async (em: ScopedEntityManager, { which, text }: Step) => {
    const id = await idOf(em, 'tag', which)
    if (id)
      await em.getKysely<{ tag: { id: string; label: string } }>().updateTable('tag').set({ label: text }).where('id', '=', id).execute()
    em.clear()
  },
  rawUpdate: async (em: ScopedEntityManager, { which, text, value }: Step) => {
    const id = await idOf(em, 'note', which)
    if (id)
      await em.execute(
        `update note set title = ?, author = reverse(author), diary = data, data = ?::jsonb, stars = stars + 1, seen_at = now() where id = ?`,
        [text, JSON.stringify({ value }), id],
      )
    em.clear()
  },
  rawDelete: async (em: ScopedEntityManager, { which }: Step) => {
    const id = await idOf(em, 'note', which)
    if (id) await em.execute('delete from note where id = ?', [id])
    em.clear()
  },
  rawLink: async (em: ScopedEntityManager, { which, other }: Step) => {
    const [note, tag] = [await idOf(em, 'note', which), await idOf(em, 'tag', other)]
    if (!note || !tag) return
    await em.execute('insert into note_tags (note_id, tag_id) values (?, ?) on conflict do nothing', [note, tag])
    if (which % 3 === 0)
      await em.execute('update note_tags set tag_id = ? where note_id = ? and (select count(*) from note_tags where note_id = ?) = 1', [
        tag,
        note,
        note,
      ])
    if (which % 4 === 0) await em.execute('delete from note_tags where note_id = ?', [note])
    em.clear()
  },
}
