import { type Examples, related } from '../src/testing/index.ts'

let moments = Date.UTC(2026, 0, 5)
let numbers = 0
/** What constraints of the product's entities ask for and metadata can't tell. */
export const examples: Examples = {
  'Subscription.currentPeriodEnd': () => new Date('2026-02-05T08:00:00Z'),
  'Subscription.status': () => 'CANCELED',
  'Subscription.canceledAt': () => new Date('2026-01-06T08:00:00Z'),
  'QuotaCounter.periodStart': () => new Date((moments += 1_000)),
  'Invitation.email': () => `${crypto.randomUUID()}@example.com`,
  'AgentDecision.approval': () => related,
  'AgentDecision.requiresApproval': () => true,
  'WebhookDelivery.nextAttemptAt': () => new Date('2026-01-05T08:00:00Z'),
  'Document.mimeType': () => 'application/pdf',
  'Document.sha256': () => String(++numbers).padStart(64, '0'),
  'DocumentEmbedding.embedding': () => [0.5, -0.25],
  'CalendarConnection.tokenRef': () => 'sealed',
  'SchedulingEvent.startsAt': () => new Date((moments += 1_000)),
  'SchedulingEvent.endsAt': () => new Date(moments + 500),
  'SchedulingAgentTask.type': () => 'SUMMARIZE',
  'SchedulingAgentTask.event': () => related,
  'IdealCustomerProfile.weights': () => ({ completeness: 1 }),
  'Prospect.email': () => `${crypto.randomUUID()}@example.com`,
  'SequenceStep.subject': () => 'Good morning',
  'Message.campaign': () => related,
  'AIInsight.confidence': () => 0.5,
  'Task.pipeline': () => related,
  'Task.stage': () => related,
  'Task.stageEnteredAt': () => new Date('2026-01-05T08:00:00Z'),
  'MarketplaceItem.currency': () => 'EUR',
  'MarketplaceOrder.number': () => `2026-${String(++numbers).padStart(6, '0')}`,
  'MarketplaceOrder.totalMinor': () => 0n,
  'MarketplaceOrder.currency': () => 'EUR',
  'MarketplaceOrderItem.unitMinor': () => 0n,
  'OrderSeries.year': () => ++numbers,
  'BookingSlot.endsAt': () => new Date('2026-01-05T09:00:00Z'),
  'ContentEntry.locale': () => 'fr-CA',
}
