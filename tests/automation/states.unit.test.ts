import { describe, expect, test } from 'vitest'
import { executionStatuses, executionTransitions, WorkflowExecution, type ExecutionStatus } from '../../src/entities.ts'

const at = new Date('2026-11-23T10:00:00Z')
const later = new Date('2026-11-23T10:00:02Z')

const execution = (values: Partial<WorkflowExecution>) =>
  Object.assign(new WorkflowExecution(), { attempt: 1, maxAttempts: 1, startedAt: at }, values)

describe('an execution', () => {
  const moves: Readonly<Record<ExecutionStatus, (each: WorkflowExecution) => void>> = {
    QUEUED: each => (each.status === 'RUNNING' ? each.fail('FAILED', 'no', later) : each.retry(later)),
    RUNNING: each => each.start(at, 1_000),
    SUCCESS: each => each.succeed({ done: true }, later),
    FAILED: each => each.fail('FAILED', 'no', later),
    TIMEOUT: each => each.fail('TIMEOUT', 'late', later),
    CANCELLED: each => each.cancel(later),
  }
  const pairs = executionStatuses.flatMap(from => executionStatuses.map(to => [from, to] as const))

  test.each(pairs)('that is %s becomes %s only if it may', (from, to) => {
    const each = execution({ status: from, maxAttempts: to === 'QUEUED' ? 3 : 1 })
    if (executionTransitions[from].includes(to)) {
      moves[to](each)
      expect(each.status).toBe(to)
    } else {
      expect(() => moves[to](each)).toThrow(expect.objectContaining({ code: 'state.transition_refused' }))
      expect(each.status).toBe(from)
    }
  })

  test('is tried again, later each time, until its attempts are used up', () => {
    const each = execution({ status: 'QUEUED', attempt: 0, maxAttempts: 3 })
    const waits: number[] = []
    while (each.status === 'QUEUED') {
      each.start(at, 1_000)
      each.fail('FAILED', 'no', later)
      if (each.status === ('QUEUED' as string)) waits.push(each.nextAttemptAt.getTime() - later.getTime())
    }
    expect(waits).toEqual([30_000, 120_000])
    expect(each).toMatchObject({ status: 'FAILED', attempt: 3, finishedAt: later, leaseUntil: null, durationMs: 2_000 })
  })

  test('is tried again within a day, however often it has failed', () => {
    const each = execution({ status: 'RUNNING', attempt: 19, maxAttempts: 20 })
    each.fail('FAILED', 'no', later)
    expect(each.nextAttemptAt.getTime() - later.getTime()).toBe(24 * 3_600_000)
  })
})
