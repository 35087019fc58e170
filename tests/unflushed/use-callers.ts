import type { EntityClass } from '@mikro-orm/core'
import { afterAll, beforeAll, beforeEach, expect } from 'vitest'
import { type Actor, agentActor, userActor } from '../../src/context/index.ts'
import { newId } from '../../src/kernel/id.ts'
import type { Daybook, Row, ScopedEntityManager } from '../../src/orm/index.ts'
import { history, replayProblems } from '../../src/readers/index.ts'
import { type Factory, factory, openTestDaybook, productExamples } from '../../src/testing/index.ts'
import { type Company, foundCompany } from '../access/company.ts'

type Work<T> = (em: ScopedEntityManager) => Promise<T>

/** What is open while a test runs. */
interface Ground {
  daybook: Daybook
  company: Company
  agent: string
  make: Factory['make']
}

export interface Case<T> {
  readonly make: () => Promise<Row>
  /** What the caller changes, and doesn't flush. */
  readonly change: object | (() => object)
  readonly call: (em: ScopedEntityManager, row: T) => Promise<unknown>
  /** What the service changes of the same row. */
  readonly becomes?: object
  readonly as?: () => Actor
  /** It has no transaction of its own. */
  readonly needsOpen?: boolean
}

/** Callers of a service who have changed what they pass to it, and not written it. */
export function useCallers() {
  const ground = {} as Ground
  beforeAll(async () => {
    ground.daybook = await openTestDaybook({ poolMax: 20 })
  })
  afterAll(() => ground.daybook.close())
  beforeEach(async () => {
    ground.agent = newId()
    ground.company = await foundCompany(ground.daybook)
    ground.make = factory(ground.daybook, ground.company.organization.id, { examples: productExamples }).make
  })

  const as = { owner: () => userActor(ground.company.owner), agent: () => agentActor(ground.agent) }
  const scopeOf = (actor: Actor) => ({ tenant: ground.company.organization.id, actor })
  const work = <T>(does: Work<T>, actor = as.owner()) => ground.daybook.transact(scopeOf(actor), does)
  const alone = (actor = as.owner()) => ground.daybook.scope(scopeOf(actor))
  const make: Factory['make'] = (entity, overrides) => ground.make(entity, overrides)

  /** A line of the table: what was changed on both sides is stored, and told. */
  function of<T extends Row>(what: string, entity: EntityClass<T>, told: Case<T>) {
    const { becomes = {}, as: actor = as.owner, needsOpen = false } = told
    const run = async (isOpen: boolean) => {
      const { id } = await told.make()
      const change = typeof told.change === 'function' ? (told.change as () => object)() : told.change
      const find = async (em: ScopedEntityManager) => (await em.find(entity, { id } as never))[0]!
      const events = () => work(em => history(em, [entity as new () => T, id]))
      const before = (await events()).length
      const calls = async (em: ScopedEntityManager) => {
        const row = await find(em)
        Object.assign(row, change)
        await told.call(em, row)
      }
      await (isOpen ? work(calls, actor()) : calls(alone(actor())))
      expect(await work(find)).toMatchObject({ ...change, ...becomes })
      expect((await work(replayProblems)).filter(({ row }) => row === id)).toEqual([])
      const changes = (await events()).slice(before).map(event => event.changes.map(({ property }) => property.split('.')[0]!))
      const tells = (fields: object) => (names: string[]) => Object.keys(fields).every(name => names.includes(name))
      const own = changes.findIndex(tells(change))
      expect(own).not.toBe(-1)
      const theirs = changes.findLastIndex(tells(becomes))
      expect(theirs).toBeGreaterThanOrEqual(own)
    }
    return { what, needsOpen, run }
  }

  return { ground, as, work, alone, make, of }
}
