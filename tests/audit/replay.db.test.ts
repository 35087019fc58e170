import { DriverException, OptimisticLockError, ValidationError, wrap } from '@mikro-orm/core'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { systemActor } from '../../src/context/index.ts'
import { newId } from '../../src/kernel/id.ts'
import { AuditEvent, auditedTableOf } from '../../src/audit/index.ts'
import { type Daybook, type ScopedEntityManager, tablesOf } from '../../src/orm/index.ts'
import { type Cut, rightBefore } from '../../src/readers/cut.ts'
import { foldedRow } from '../../src/readers/folded-row.ts'
import { asOf, replayProblems, revert } from '../../src/readers/index.ts'
import { NotRevertibleError } from '../../src/readers/readers.errors.ts'
import { openTestDaybook } from '../../src/testing/index.ts'
import { entities, Line, migrations, Note, Paper, Tag } from './model.ts'
import { countSteps, perform, randomWork, rethrowUnlessUndone } from './random-work.ts'

/**
 * Two hundred on both engines together, most on the one that is faster. Nightly runs ask for thousands. A failure prints its seed and path, and is
 * made smaller, which may take hours, where it is repeated by them.
 */
const numRuns = Number(process.env.DAYBOOK_PROPERTY_RUNS ?? (process.env.DAYBOOK_TEST_ENGINE === 'embedded' ? 60 : 140))
const { DAYBOOK_PROPERTY_SEED: fromSeed, DAYBOOK_PROPERTY_PATH: path } = process.env
const repeat = { ...(fromSeed && { seed: Number(fromSeed) }), ...(path && { path }) }
const stepsPerRun = 200

/** By the database, by the lock, and by the ORM: a line that is dropped from its note in the flush that creates it has no note left. */
const refusals = [DriverException, OptimisticLockError, ValidationError]

/** And one where the ORM stumbles: of references that it never loaded, several in a batch, it compares the versions with every row's. */
function isRefusal(error: unknown): boolean {
  return (
    refusals.some(refusal => error instanceof refusal) ||
    (error instanceof TypeError && /^.*\n\s+at ChangeSetPersister\.checkOptimisticLocks/.test(error.stack ?? ''))
  )
}

let daybook: Daybook
beforeAll(async () => {
  daybook = await openTestDaybook({ entities, migrations })
})
afterAll(() => daybook.close())

/** Everything that the model says of a tenant, as its entities: relations, order and all. */
async function copyOf(em: ScopedEntityManager): Promise<unknown> {
  const notes = await em.find(Note, {}, { populate: ['tags', 'pinned', 'lines', 'parent'], orderBy: { id: 'asc' } })
  const rest = await Promise.all([
    em.find(Tag, {}, { orderBy: { id: 'asc' } }),
    em.find(Paper, {}, { orderBy: { id: 'asc' } }),
    em.count(Line),
  ])
  const sides = await em.find(Tag, { id: { $in: notes.flatMap(note => note.tags.getIdentifiers()) } }, { orderBy: { id: 'asc' } })
  return JSON.parse(
    JSON.stringify([
      notes.map(note => ({
        ...wrap(note).toPOJO(),
        secretWord: null,
        parent: note.parent?.unwrap().title,
        tags: note.tags.getIdentifiers().toSorted(),
        pinned: note.pinned.getIdentifiers(),
        lines: note.lines
          .getItems()
          .map(({ id, text }) => id + text)
          .toSorted(),
      })),
      rest,
      sides.map(({ label }) => label),
    ]),
  ) as unknown
}

/** Updates whose `before` isn't what the row was by the log. What tells of a person is sealed anew in each event. */
const misremembered = `select type, before, state from (
    select e.type, e.before, daybook_fold(e.type, e.before, e.after) over (partition by e.entity, e.entity_id order by e.seq rows between unbounded preceding and 1 preceding) as state
      from audit_event e where e.entity is not null) as told
  where type like '%.updated' and exists (select from json_each(before) as was (key, value)
    where key not in ('author', 'diary') and was.value::jsonb is distinct from coalesce(state->key, 'null'))`

const lastUpdates = `select id from audit_event e where type like '%.updated'
  and not exists (select from audit_event l where l.entity_id = e.entity_id and l.entity = e.entity and l.seq > e.seq) order by seq`

/** What a revert doesn't give back. */
const kept = ['version', 'updated_at']

/** What a row was before an event, and what it is after the event has been reverted; nothing where there is none, or it can't be. */
async function takenBack(work: <T>(does: (em: ScopedEntityManager) => Promise<T>) => Promise<T>, which: number): Promise<unknown[]> {
  return work(async em => {
    const ids = await em.execute<{ id: string }[]>(lastUpdates)
    if (ids.length === 0) return []
    const event = await em.findOneOrFail(AuditEvent, ids[which % ids.length]!)
    const meta = tablesOf(em.getMetadata()).find(each => auditedTableOf(each)?.entity === event.entity)!
    const rowAt = async (cut: Cut) => {
      const row = (await foldedRow(em, meta, event.entityId!, cut))!
      return Object.fromEntries(Object.entries(row).filter(([name, value]) => value !== null && !kept.includes(name)))
    }
    const was = await rowAt(rightBefore(event))
    await revert(em, event)
    await em.flush()
    return [was, await rowAt({ seq: '9223372036854775807', open: [] })]
  }).catch((error: unknown) => {
    if (error instanceof DriverException || error instanceof NotRevertibleError) return []
    throw error
  })
}

/** Takes back all that came after an event, but for what nobody can: secrets. Nothing is left where nothing came. */
async function takeAllBack(em: ScopedEntityManager, since: AuditEvent): Promise<void> {
  const later = await em.find(AuditEvent, { seq: { $gt: since.seq } }, { disableIdentityMap: true })
  const made = new Set(later.filter(({ type }) => type.endsWith('.created')).map(({ entityId }) => entityId))
  const isSecret = ({ changed }: AuditEvent) => changed?.every(column => ['secret_word', ...kept].includes(column))
  await revert(
    em,
    later.filter(event => made.has(event.entityId) || !isSecret(event)),
  )
}

/** A copy without what counts on, and without the order of links: those that come back come last. */
function regardless(copy: unknown): unknown {
  return JSON.parse(JSON.stringify(copy), (key, value: unknown) => {
    if (key === 'version' || key === 'updatedAt') return undefined
    return key === 'pinned' ? (value as string[]).toSorted() : value
  }) as unknown
}

test(
  `folding the log gives every table back, now and at any moment before, after ${numRuns} runs of random work by every route`,
  { timeout: numRuns * 10_000 },
  async () => {
    let [steps, committed, refused, moments, reverted, undone] = [0, 0, 0, 0, 0, 0]
    await fc.assert(
      fc.asyncProperty(
        randomWork(stepsPerRun),
        fc.array(fc.nat(20), { minLength: 2, maxLength: 3 }),
        fc.nat(),
        async (work, stops, which) => {
          const input = { tenant: newId(), actor: systemActor('chance') }
          const copies: { event: AuditEvent; copy: unknown }[] = []
          for (const [index, transaction] of work.entries()) {
            try {
              await daybook.transact(input, em => perform(transaction, em), { attempts: 1 })
              committed++
            } catch (error) {
              if (isRefusal(error)) refused++
              else rethrowUnlessUndone(error)
            }
            if (!stops.includes(index)) continue
            await daybook.transact(input, async em => {
              const [event] = await em.find(AuditEvent, {}, { orderBy: { seq: 'desc' }, limit: 1 })
              if (event) copies.push({ event, copy: await copyOf(em) })
            })
          }
          steps += countSteps(work)
          expect(await daybook.transact(input, em => replayProblems(em))).toEqual([])
          moments += copies.length
          expect(await daybook.transact(input, em => em.execute(misremembered))).toEqual([])
          const [was, is] = await takenBack(does => daybook.transact(input, does), which)
          if (was) reverted++
          expect(is).toEqual(was)
          for (const { event, copy } of copies) expect(await copyOf(asOf(daybook.scope(input), event))).toEqual(copy)
          const [first] = copies
          if (!first) return // the work ended before
          await daybook.transact(input, em => takeAllBack(em, first.event))
          undone++
          expect(regardless(await copyOf(daybook.scope(input)))).toEqual(regardless(first.copy))
          expect(await daybook.transact(input, em => replayProblems(em))).toEqual([])
        },
      ),
      { numRuns, ...repeat, endOnFailure: path === undefined },
    )
    // oxlint-disable-next-line no-console -- how much was tried belongs into the report
    console.log(
      `${numRuns} runs: ${steps} steps, ${committed} transactions committed, ${refused} refused, ${moments} moments, ${reverted} reverted, ${undone} undone as a whole`,
    )
    expect(steps).toBeGreaterThanOrEqual(numRuns * stepsPerRun)
    expect(refused).toBeLessThan(committed)
    expect(reverted).toBeGreaterThan(numRuns / 2)
    expect(undone).toBeGreaterThan(numRuns / 2)
  },
)
