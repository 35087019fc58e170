import { OptimisticLockError, UniqueConstraintViolationException } from '@mikro-orm/core'
import { describe, expect, test } from 'vitest'
import {
  AIInsight,
  approve,
  ApprovalItem,
  blockSlot,
  book,
  BookingSlot,
  EmailSequence,
  activateSequence,
  requestApproval,
  Project,
  Task,
} from '../../src/entities.ts'
import { inTurn, lockedAfresh } from '../../src/orm/index.ts'
import { useCallers } from './use-callers.ts'

const { work, alone, make } = useCallers()

const title = (id: string) => work(async em => (await em.findOneOrFail(AIInsight, id)).title)
const insight = () => make(AIInsight, { title: 'as it was' })

describe('what a caller has changed and not flushed', () => {
  test.each([
    [
      'approve',
      async () => {
        const subject = await make(Task)
        const asked = { type: 'task.refund', subject, subjectType: 'task', reason: 'It broke.' }
        const { id } = await work(em => requestApproval(em, asked))
        await work(async em => {
          const item = await em.findOneOrFail(ApprovalItem, id)
          item.payload = { amount: 450 }
          await expect(approve(em, item, { rationale: 'Mine.' })).rejects.toMatchObject({ code: 'audit.own_decision' })
        })
        const stored = await work(em => em.findOneOrFail(ApprovalItem, id))
        expect(stored).toMatchObject({ status: 'PENDING', payload: { amount: 450 } })
      },
    ],
    [
      'activateSequence',
      async () => {
        const { id } = await make(EmailSequence)
        await work(async em => {
          const sequence = await em.findOneOrFail(EmailSequence, id)
          sequence.name = 'renamed'
          await expect(activateSequence(em, sequence)).rejects.toMatchObject({ code: 'sales.sequence_invalid' })
        })
        expect(await work(em => em.findOneOrFail(EmailSequence, id))).toMatchObject({ status: 'DRAFT', name: 'renamed' })
      },
    ],
    [
      'book',
      async () => {
        const { id } = await make(BookingSlot, { isBlocked: true })
        const contact = { auditType: 'WEBSITE', contactEmail: 'ada@example.com', contactName: 'Ada', timeZone: 'UTC' } as const
        await work(async em => {
          const slot = await em.findOneOrFail(BookingSlot, id)
          slot.timeZone = 'Europe/Paris'
          await expect(book(em, slot, contact)).rejects.toMatchObject({ code: 'commerce.slot_unavailable' })
        })
        expect((await work(em => em.findOneOrFail(BookingSlot, id))).timeZone).toBe('Europe/Paris')
      },
    ],
  ])('is kept in a transaction that goes on where %s refuses', (_service, refuses) => refuses())

  test('stands or falls with the service where there is no other transaction', async () => {
    const { id } = await make(BookingSlot, { timeZone: 'UTC' })
    const em = alone()
    const slot = await em.findOneOrFail(BookingSlot, id)
    slot.timeZone = 'Europe/Paris'
    const blocked = inTurn(em, async inner => {
      await blockSlot(inner, slot)
      throw new Error('It is refused.')
    })
    await expect(blocked).rejects.toThrow('It is refused.')
    expect(await work(other => other.findOneOrFail(BookingSlot, id))).toMatchObject({ timeZone: 'UTC', isBlocked: false })
  })

  test('is refused where somebody else has changed it meanwhile, and nothing is done', async () => {
    const { id } = await insight()
    for (const isOpen of [true, false]) {
      const em = alone()
      const mine = await em.findOneOrFail(AIInsight, id)
      await work(async other => Object.assign(await other.findOneOrFail(AIInsight, id), { title: `theirs ${isOpen}` }))
      mine.title = 'mine'
      let locked = 0
      const lock = (within = em) => inTurn(within, inner => lockedAfresh(inner, AIInsight, id).then(() => locked++))
      await expect(isOpen ? em.transactional(outer => lock(outer)) : lock()).rejects.toThrow(OptimisticLockError)
      expect([await title(id), locked]).toEqual([`theirs ${isOpen}`, 0])
    }
  })

  test('reaches the caller as what the database says of it', async () => {
    const [first, { id }] = [await make(Project), await insight()]
    const em = alone()
    em.create(Project, { name: 'Again', slug: first.slug })
    ;(await em.findOneOrFail(AIInsight, id)).title = 'mine'
    await expect(inTurn(em, inner => lockedAfresh(inner, AIInsight, id))).rejects.toThrow(UniqueConstraintViolationException)
    expect(await title(id)).toBe('as it was')
  })

  test('isn’t written where there is no transaction to lock in', async () => {
    const { id } = await insight()
    const em = alone()
    ;(await em.findOneOrFail(AIInsight, id)).title = 'mine'
    await expect(lockedAfresh(em, AIInsight, id)).rejects.toThrow(/open transaction/)
    expect(await title(id)).toBe('as it was')
  })
})

describe('a row that is locked and read anew', () => {
  test('is what somebody else has made of it', async () => {
    const { id } = await insight()
    const em = alone()
    const mine = await em.findOneOrFail(AIInsight, id)
    await work(async other => Object.assign(await other.findOneOrFail(AIInsight, id), { title: 'theirs' }))
    expect((await inTurn(em, inner => lockedAfresh(inner, AIInsight, id))).title).toBe('theirs')
    expect(mine.title).toBe('theirs')
  })

  test('isn’t flushed again by a hook in the middle of a flush', async () => {
    const [{ id }, other] = [await insight(), await insight()]
    const seen: string[] = []
    await work(async em => {
      em.getEventManager().registerSubscriber({
        async beforeUpdate({ em: flushing }) {
          if (seen.length > 0) return
          seen.push('hook')
          const inner = flushing as typeof em
          seen.push((await lockedAfresh(inner, AIInsight, other.id)).title)
          seen.push(await inTurn(inner, async within => (await lockedAfresh(within, AIInsight, other.id)).title))
        },
      })
      ;(await em.findOneOrFail(AIInsight, id)).title = 'mine'
      await em.flush()
      expect(em.isFlushing).toBe(false)
    })
    expect(seen).toEqual(['hook', 'as it was', 'as it was'])
    expect(await title(id)).toBe('mine')
  })

  test('takes along what a hook has changed with an EntityManager of its own', async () => {
    const [{ id }, other] = [await insight(), await insight()]
    await work(async em => {
      const own = em.fork({ keepTransactionContext: true })
      let isDone = false
      em.getEventManager().registerSubscriber({
        async beforeUpdate() {
          if (isDone) return
          isDone = true
          ;(await own.findOneOrFail(AIInsight, other.id)).title = 'the hook’s'
          await lockedAfresh(own, AIInsight, other.id)
        },
      })
      ;(await em.findOneOrFail(AIInsight, id)).title = 'mine'
      await em.flush()
    })
    expect([await title(id), await title(other.id)]).toEqual(['mine', 'the hook’s'])
  })
})
