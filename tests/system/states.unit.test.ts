import { describe, expect, test } from 'vitest'
import { deliveryStatuses, deliveryTransitions, type DeliveryStatus, WebhookDelivery, WebhookEndpoint } from '../../src/entities.ts'

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
