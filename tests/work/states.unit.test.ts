import { describe, expect, test } from 'vitest'
import {
  ApprovalItem,
  approvalStatuses,
  IntakeRequest,
  intakeStatuses,
  intakeTransitions,
  Task,
  taskStatuses,
  taskTransitions,
} from '../../src/entities.ts'

const at = new Date('2026-11-21T10:00:00Z')
const every = <S extends string>(statuses: readonly S[]) => statuses.flatMap(from => statuses.map(to => [from, to] as const))

describe('a task', () => {
  const moves: Readonly<Record<string, (task: Task) => void>> = {
    NEW: task => (task.status === 'CANCELLED' ? task.reopen() : task.putBack()),
    IN_PROGRESS: task => (task.status === 'DONE' ? task.reopen() : task.start()),
    NEEDS_REVIEW: task => task.requestReview(),
    BLOCKED: task => task.block(),
    DONE: task => task.complete(at),
    CANCELLED: task => task.cancel(),
  }

  test.each(every(taskStatuses))('that is %s becomes %s only if it may', (from, to) => {
    const task = Object.assign(new Task(), { status: from })
    if (taskTransitions[from].includes(to)) {
      moves[to]!(task)
      expect(task.status).toBe(to)
    } else {
      expect(() => moves[to]!(task)).toThrow(expect.objectContaining({ code: 'state.transition_refused' }))
      expect(task.status).toBe(from)
    }
  })

  test('remembers when it was done, until it is reopened', () => {
    const task = Object.assign(new Task(), { status: 'NEW' as const })
    task.complete(at)
    expect(task.completedAt).toEqual(at)
    task.reopen()
    expect(task).toMatchObject({ status: 'IN_PROGRESS', completedAt: null })
  })

  test('can reach every state from the first, and none is a trap', () => {
    const reachable = (from: (typeof taskStatuses)[number]) => {
      const seen = new Set([from])
      for (const state of seen) for (const next of taskTransitions[state]) seen.add(next)
      return seen
    }
    for (const state of taskStatuses) expect(reachable(state)).toEqual(new Set(taskStatuses))
  })
})

describe('an intake request', () => {
  const task = Object.assign(new Task(), { id: 'a' })
  const moves: Readonly<Record<string, (request: IntakeRequest) => void>> = {
    ROUTING: request => request.startRouting(),
    ASSIGNED: request => request.assign(task),
    PROCESSING: request => request.startProcessing(),
    COMPLETED: request => request.complete(),
    REJECTED: request => request.reject(),
  }
  const refused = every(intakeStatuses).filter(([from, to]) => to !== 'NEW' && !intakeTransitions[from].includes(to))

  test.each(refused)('that is %s doesn’t become %s', (from, to) => {
    const request = Object.assign(new IntakeRequest(), { status: from })
    expect(() => moves[to]!(request)).toThrow(expect.objectContaining({ code: 'state.transition_refused' }))
    expect(request.status).toBe(from)
  })

  test.each(every(intakeStatuses).filter(([from, to]) => to !== 'ASSIGNED' && intakeTransitions[from].includes(to)))(
    'that is %s becomes %s',
    (from, to) => {
      const request = Object.assign(new IntakeRequest(), { status: from })
      moves[to]!(request)
      expect(request.status).toBe(to)
    },
  )
})

describe('an approval', () => {
  const settled = approvalStatuses.filter(status => status !== 'PENDING')

  test.each(every(settled))('that is %s already doesn’t become %s', (from, to) => {
    const item = Object.assign(new ApprovalItem(), { status: from })
    expect(() => item.settle(to, at)).toThrow(expect.objectContaining({ code: 'work.approval_state' }))
  })

  test.each(settled)('that waits becomes %s', to => {
    const item = Object.assign(new ApprovalItem(), { status: 'PENDING' as const })
    item.settle(to, at)
    expect(item).toMatchObject({ status: to, decidedAt: at })
  })

  test('isn’t given after its time', () => {
    const item = Object.assign(new ApprovalItem(), { status: 'PENDING' as const, expiresAt: at })
    expect(() => item.settle('APPROVED', at)).toThrow(expect.objectContaining({ code: 'work.approval_state' }))
    item.settle('EXPIRED', at)
    expect(item.status).toBe('EXPIRED')
  })
})
