import { describe, expect, test } from 'vitest'
import {
  deliveryStatuses,
  deliveryTransitions,
  type DeliveryStatus,
  OutboxMessage,
  type OutboxStatus,
  outboxStatuses,
  outboxTransitions,
  WebhookDelivery,
  WebhookEndpoint,
} from '../../src/entities.ts'

const at = new Date('2026-11-23T10:00:00Z')

describe('a delivery', () => {
  const moves: Readonly<Record<DeliveryStatus, (each: WebhookDelivery) => void>> = {
    PENDING: each => each.resend(at),
    OK: each => each.arrive(200, 5),
    FAILED: each => void each.fail(at, 'no', 5),
    DEAD: each => each.abandon('gone'),
  }

  test.each(deliveryStatuses.flatMap(from => deliveryStatuses.map(to => [from, to] as const)))(
    'that is %s becomes %s only if it may',
    (from, to) => {
      const each = Object.assign(new WebhookDelivery(), { status: from, attempt: 1 })
      if (deliveryTransitions[from].includes(to)) {
        moves[to](each)
        expect(each.status).toBe(to)
      } else {
        expect(() => moves[to](each)).toThrow(expect.objectContaining({ code: 'state.transition_refused' }))
        expect(each.status).toBe(from)
      }
    },
  )

  test('is tried ten times within four days, and then given up', () => {
    const each = Object.assign(new WebhookDelivery(), { status: 'PENDING' as const, attempt: 0, nextAttemptAt: at })
    let attempts = 0
    for (let now = at; each.status !== ('DEAD' as string); attempts++) {
      each.take(now)
      each.fail(now, 'no', 5)
      if (each.nextAttemptAt) now = each.nextAttemptAt
      expect(now.getTime() - at.getTime()).toBeLessThan(4 * 24 * 3_600_000)
    }
    expect(attempts).toBe(10)
    expect(each).toMatchObject({ attempt: 10, nextAttemptAt: null })
  })
})

describe('a message', () => {
  const moves: Readonly<Record<OutboxStatus, (each: OutboxMessage) => void>> = {
    PENDING: each => each.redeliver(at),
    SENT: each => each.sent(at),
    DEAD: each => each.abandon('gone'),
  }

  test.each(outboxStatuses.flatMap(from => outboxStatuses.map(to => [from, to] as const)))(
    'that is %s becomes %s only if it may',
    (from, to) => {
      const each = Object.assign(new OutboxMessage(), { status: from, attempts: 1 })
      if (outboxTransitions[from].includes(to)) {
        moves[to](each)
        expect(each.status).toBe(to)
      } else {
        expect(() => moves[to](each)).toThrow(expect.objectContaining({ code: 'state.transition_refused' }))
        expect(each.status).toBe(from)
      }
    },
  )

  test('is tried for more than half a day, and then given up', () => {
    const each = Object.assign(new OutboxMessage(), { status: 'PENDING' as const, attempts: 0, availableAt: at })
    let last = at
    while (each.status !== ('DEAD' as string)) {
      last = each.availableAt
      each.fail(last, 'no', 0.5)
    }
    expect(each).toMatchObject({ attempts: 25, error: 'no' })
    expect((last.getTime() - at.getTime()) / 3_600_000).toBeGreaterThan(9)
  })
})

test('an endpoint that is given up ten times in a row is disabled, and one that answers in between is not', () => {
  const endpoint = Object.assign(new WebhookEndpoint(), { isActive: true, failureCount: 0 })
  for (let failure = 0; failure < 9; failure++) endpoint.gaveUp(at)
  endpoint.arrived()
  for (let failure = 0; failure < 9; failure++) endpoint.gaveUp(at)
  expect(endpoint.isActive).toBe(true)
  endpoint.gaveUp(at)
  expect(endpoint).toMatchObject({ isActive: false, disabledAt: at })
  endpoint.enable()
  expect(endpoint).toMatchObject({ isActive: true, disabledAt: null, failureCount: 0 })
})
