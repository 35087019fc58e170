import { describe, expect, test } from 'vitest'
import { byDigest, decide, DecisionLog, lapse, settle } from '../../src/audit/index.ts'
import { agentActor } from '../../src/context/index.ts'
import { newId } from '../../src/kernel/id.ts'
import { feed, pendingDecisions, why } from '../../src/readers/index.ts'
import { Note } from './model.ts'
import { usePast } from './use-past.ts'

const { model, scope, transact, noteWithPast, agree } = usePast()

describe('a decision', () => {
  const agent = agentActor(newId())
  const input = (note: Note) => ({
    type: 'note.rating',
    subject: note,
    outcome: { stars: 5 },
    rationale: 'It is good',
    confidence: 0.9,
    model: 'm 1',
    inputs: byDigest({ text: 'x' }),
    alternatives: [{ stars: 4 }],
  })

  test('is an event, and what it changes points back to it', async () => {
    const { note } = await noteWithPast()
    const { id } = await decide(scope(agent), input(note), async em => {
      ;(await em.findOneOrFail(Note, note.id)).stars = 5
      await em.flush()
      await em.execute(`update tag set label = 'by decision'`)
    })
    const [log] = (await feed(scope(), { kind: 'decision' })).items
    expect(log).toMatchObject({
      id,
      kind: 'decision',
      type: 'decision.made',
      actorType: 'agent',
      entityId: note.id,
      after: { rationale: 'It is good', confidence: 0.9 },
    })
    const { items } = await feed(scope(), { decisionId: id })
    expect(items.map(({ type }) => type)).toEqual(['tag.updated', 'note.updated', 'decision.made'])
    expect(await why(scope(), note, 'stars')).toMatchObject({
      decision: { id },
      actor: agent,
      requestId: 'r1',
      change: { event: { type: 'note.updated' } },
    })
    expect((await why(scope(), note, 'title'))!.decision).toBeUndefined()
    await agree()
  })

  test('whose work fails leaves nothing, not even itself', async () => {
    const { note } = await noteWithPast()
    const attempt = decide(scope(agent), input(note), async () => {
      throw new Error('no')
    })
    await expect(attempt).rejects.toThrow('no')
    expect(await scope().count(DecisionLog, { tenantId: model.tenant })).toBe(0)
  })

  test('that needs approval waits for somebody else, whose approval does the work', async () => {
    const { note } = await noteWithPast()
    const { id, isPending } = await decide(scope(agent), { ...input(note), needsApproval: true })
    expect(isPending).toBe(true)
    expect((await transact(em => pendingDecisions(em))).map(pending => pending.id)).toEqual([id])
    const yes = { approved: true, rationale: 'Agreed' }
    await expect(settle(scope(agent), id, yes)).rejects.toMatchObject({ code: 'audit.own_decision' })
    await settle(scope(), id, yes, async em => {
      ;(await em.findOneOrFail(Note, note.id)).stars = 5
    })
    expect(await why(scope(), note, 'stars')).toMatchObject({
      decision: { id, actorType: 'agent' },
      approval: { type: 'decision.approved', actorType: 'user', after: { rationale: 'Agreed' } },
    })
    expect(await transact(em => pendingDecisions(em))).toEqual([])
    await expect(settle(scope(), id, yes)).rejects.toMatchObject({ code: 'audit.decision_settled' })
  })

  test('is settled once, however many try at once', async () => {
    const { note } = await noteWithPast()
    const { id } = await decide(scope(agent), { ...input(note), needsApproval: true })
    const tries = await Promise.allSettled([1, 2, 3].map(() => settle(scope(), id, { approved: false, rationale: 'No' })))
    expect(tries.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  })

  test('that nobody settles in time lapses, by whomever, and one that was settled meanwhile doesn’t', async () => {
    const { note } = await noteWithPast()
    const [late, settled] = [
      await decide(scope(agent), { ...input(note), needsApproval: true }),
      await decide(scope(agent), { ...input(note), needsApproval: true }),
    ]
    await settle(scope(), settled, { approved: true, rationale: 'Agreed' })
    await lapse(scope(agent), [late.id, settled.id])
    await lapse(scope(agent), [late.id])
    const ends = await scope().find(DecisionLog, { causationId: { $in: [late.id, settled.id] } }, { orderBy: { seq: 'asc' } })
    expect(ends.map(({ type, causationId }) => [type, causationId])).toEqual([
      ['decision.approved', settled.id],
      ['decision.expired', late.id],
    ])
    expect(await transact(em => pendingDecisions(em))).toEqual([])
    await expect(settle(scope(), late, { approved: true, rationale: 'Late' })).rejects.toMatchObject({ code: 'audit.decision_settled' })
    await agree()
  })

  test('can be overridden, which is a decision and leads back', async () => {
    const { note } = await noteWithPast()
    const first = await decide(scope(agent), input(note))
    const second = await decide(scope(), { ...input(note), outcome: { stars: 1 }, overrides: first }, async em => {
      ;(await em.findOneOrFail(Note, note.id)).stars = 1
    })
    const reasons = await why(scope(), note, 'stars')
    expect(reasons).toMatchObject({ decision: { id: second.id, type: 'decision.overrode' }, overrides: [{ id: first.id }] })
    await expect(decide(scope(), { ...input(note), overrides: newId() })).rejects.toMatchObject({ code: 'audit.decision_unknown' })
  })
})
