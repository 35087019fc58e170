import { DriverException, OptimisticLockError, ValidationError, wrap } from '@mikro-orm/core'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { systemActor } from '../../src/context/index.ts'
import { newId } from '../../src/kernel/id.ts'
import { AuditEvent } from '../../src/audit/index.ts'
import type { Daybook, ScopedEntityManager } from '../../src/orm/index.ts'
import { asOf, replayProblems } from '../../src/readers/index.ts'
import { openTestDaybook } from '../../src/testing/index.ts'
import { entities, Line, migrations, Note, Paper, Tag } from './model.ts'
import { countSteps, perform, randomWork, rethrowUnlessUndone } from './random-work.ts'

/** Two hundred on both engines together, most on the one that is faster. Nightly runs ask for thousands. A failure prints the seed. */
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

test(
  `folding the log gives every table back, now and at any moment before, after ${numRuns} runs of random work by every route`,
  { timeout: numRuns * 5_000 },
  async () => {
    let [steps, committed, refused, moments] = [0, 0, 0, 0]
    await fc.assert(
      fc.asyncProperty(randomWork(stepsPerRun), fc.array(fc.nat(20), { minLength: 2, maxLength: 3 }), async (work, stops) => {
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
        for (const { event, copy } of copies) expect(await copyOf(asOf(daybook.scope(input), event))).toEqual(copy)
      }),
      { numRuns, ...repeat, endOnFailure: process.env.CI !== undefined },
    )
    // oxlint-disable-next-line no-console -- how much was tried belongs into the report
    console.log(`${numRuns} runs: ${steps} steps, ${committed} transactions committed, ${refused} refused, ${moments} moments`)
    expect(steps).toBeGreaterThanOrEqual(numRuns * stepsPerRun)
    expect(refused).toBeLessThan(committed)
  },
)
