import { type Examples, related } from '../src/testing/index.ts'

let moments = Date.UTC(2026, 0, 5)
/** What constraints of the product's entities ask for and metadata can't tell. */
export const examples: Examples = {
  'Subscription.currentPeriodEnd': () => new Date('2026-02-05T08:00:00Z'),
  'Subscription.status': () => 'CANCELED',
  'Subscription.canceledAt': () => new Date('2026-01-06T08:00:00Z'),
  'QuotaCounter.periodStart': () => new Date((moments += 1_000)),
  'Invitation.email': () => `${crypto.randomUUID()}@example.com`,
  'IdealCustomerProfile.weights': () => ({ completeness: 1 }),
  'Prospect.email': () => `${crypto.randomUUID()}@example.com`,
  'SequenceStep.subject': () => 'Good morning',
  'Message.campaign': () => related,
  'AIInsight.confidence': () => 0.5,
  'Task.pipeline': () => related,
  'Task.stage': () => related,
  'Task.stageEnteredAt': () => new Date('2026-01-05T08:00:00Z'),
}
