import { newId } from '../kernel/id.ts'
import { digest } from '../kernel/secret.ts'

/**
 * Values that a check constraint asks for and metadata can't tell, by `Entity.property`; optional properties are left out without one. Each is
 * told a number that no other row has.
 */
export type Examples = Readonly<Record<string, (row: number) => unknown>>

/**
 * The example of an optional relation that a check constraint asks for: a row to point at is made, and its id taken.
 * `testIsolation(daybook, { examples: { 'Delivery.order': () => related } })`
 */
export const related = Symbol('related')

const start = Date.UTC(2026, 0, 5)
const second = (row: number, milliseconds = 0) => new Date(start + row * 1_000 + milliseconds)
const address = () => `${newId()}@example.com`

/** What constraints of the product's entities ask for. */
export const productExamples: Examples = {
  'Subscription.currentPeriodEnd': () => new Date('2026-02-05T08:00:00Z'),
  'Subscription.status': () => 'CANCELED',
  'Subscription.canceledAt': () => new Date('2026-01-06T08:00:00Z'),
  'QuotaCounter.periodStart': row => second(row),
  'UsageDay.day': row => new Date(start + row * 86_400_000),
  'Invitation.email': address,
  'AuditCheckpoint.fromSeq': row => row,
  'AuditCheckpoint.toSeq': row => row,
  'AuditCheckpoint.treeSize': row => row,
  'AgentDecision.approval': () => related,
  'AgentDecision.requiresApproval': () => true,
  'OutboxMessage.topic': () => 'orders',
  'OutboxMessage.payload': () => ({ number: 1 }),
  'WebhookEndpoint.secretRefs': () => ['sealed'],
  'WebhookEndpoint.events': () => ['task.*'],
  'WebhookDelivery.nextAttemptAt': () => new Date('2026-01-05T08:00:00Z'),
  'Document.mimeType': () => 'application/pdf',
  'Document.sha256': () => digest(newId()),
  'DocumentEmbedding.embedding': () => [0.5, -0.25],
  'CalendarConnection.tokenRef': () => 'sealed',
  'SchedulingEvent.startsAt': row => second(row),
  'SchedulingEvent.endsAt': row => second(row, 500),
  'SchedulingAgentTask.type': () => 'SUMMARIZE',
  'SchedulingAgentTask.event': () => related,
  'IdealCustomerProfile.weights': () => ({ completeness: 1 }),
  'Prospect.email': address,
  'SequenceStep.subject': () => 'Good morning',
  'Message.campaign': () => related,
  'AIInsight.confidence': () => 0.5,
  'TaskTemplate.definition': () => ({ title: 'Do it', schema: { type: 'object', properties: {} } }),
  'Task.pipeline': () => related,
  'Task.stage': () => related,
  'Task.stageEnteredAt': () => new Date('2026-01-05T08:00:00Z'),
  'MarketplaceItem.currency': () => 'EUR',
  'MarketplaceOrder.number': row => `2026-${String(row).padStart(6, '0')}`,
  'MarketplaceOrder.totalMinor': () => 0n,
  'MarketplaceOrder.currency': () => 'EUR',
  'MarketplaceOrderItem.unitMinor': () => 0n,
  'OrderSeries.year': row => row,
  'BookingSlot.endsAt': () => new Date('2026-01-05T09:00:00Z'),
  'ContentEntry.locale': () => 'fr-CA',
}
