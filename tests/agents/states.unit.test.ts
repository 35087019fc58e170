import { describe, expect, test } from 'vitest'
import { AgentDecision, agentDecisionStatuses, agentDecisionTransitions, OrchestrationAgent } from '../../src/entities.ts'

const at = new Date('2026-11-23T10:00:00Z')

describe('a decision of an agent', () => {
  const moves: Readonly<Record<string, (decision: AgentDecision) => void>> = {
    EXECUTED: decision => decision.execute(at),
    REJECTED: decision => decision.reject(),
    FAILED: decision => decision.fail('no such ticket'),
  }
  const pairs = agentDecisionStatuses.flatMap(from => Object.keys(moves).map(to => [from, to as 'EXECUTED'] as const))

  test.each(pairs)('that is %s becomes %s only if it may', (from, to) => {
    const decision = Object.assign(new AgentDecision(), { status: from })
    if (agentDecisionTransitions[from].includes(to)) {
      moves[to]!(decision)
      expect(decision.status).toBe(to)
    } else {
      expect(() => moves[to]!(decision)).toThrow(expect.objectContaining({ code: 'state.transition_refused' }))
      expect(decision.status).toBe(from)
    }
  })

  test('forgets why it failed once it is done', () => {
    const decision = Object.assign(new AgentDecision(), { status: 'PENDING' as const })
    decision.fail('no such ticket')
    decision.execute(at)
    expect(decision).toMatchObject({ error: null, executedAt: at })
  })
})

describe('an agent', () => {
  const agent = Object.assign(new OrchestrationAgent(), { minConfidence: 0.8, maxRisk: 0.5 })

  test.each([
    [0.8, [0.5], false],
    [0.799, [], true],
    [1, [0.1, 0.501], true],
    [1, [], false],
  ])('that is sure by %d and risks %j needs approval: %s', (confidence, risks, needed) => {
    expect(agent.needsApproval(confidence, risks)).toBe(needed)
  })

  test.each(['high', Number.NaN, {}])('needs approval where its model says %j, which is no number', said => {
    expect(agent.needsApproval(1, [said as number])).toBe(true)
    expect(agent.needsApproval(said as number, [0])).toBe(true)
  })
})
