/**
 * System: what the platform keeps about itself and does for everybody. Job runs say what was done without a request, for whom, and how it went;
 * settings are what an organization has set otherwise; idempotency keys make writes repeatable; webhooks and the outbox tell the world what
 * happens, the one signed over HTTP, the other in order through a broker, both with a dead letter for what nobody takes; retention removes
 * what has had its time.
 */
export { forgetIdempotencyKeys } from './idempotency.ts'
export { IdempotencyKey, IdempotencyKeySchema, type IdempotencyStatus, idempotencyStatuses } from './idempotency-key.entity.ts'
export { JobRun, JobRunSchema, type JobStatus, jobStatuses } from './job-run.entity.ts'
export { publish, type PublishOptions, redeliverDead } from './outbox.ts'
export { OutboxMessage, OutboxMessageSchema, type OutboxStatus, outboxStatuses, outboxTransitions } from './outbox-message.entity.ts'
export { type PublishedMessage, type Publisher, type Relay, relayMessages } from './relay-messages.ts'
export { type CleanUp, cleanupSoftDeletedRecords, forgetFinished } from './retention.ts'
export { SeedRun, SeedRunSchema } from './seed-run.entity.ts'
export {
  clearSetting,
  defineSetting,
  keepDeletedDays,
  keepFinishedDays,
  keepSentDays,
  putSetting,
  type Setting,
  settingOf,
} from './settings.ts'
export {
  EventPatternError,
  IdempotencyInFlightError,
  IdempotencyMismatchError,
  PayloadRefusedError,
  SettingInvalidError,
  TopicInvalidError,
  TopicUnfollowedError,
} from './system.errors.ts'
export { SystemSetting, SystemSettingSchema } from './system-setting.entity.ts'
export { type Deliverer, deliverWebhooks } from './webhook-deliveries.ts'
export {
  type DeliveryStatus,
  deliveryStatuses,
  deliveryTransitions,
  WebhookDelivery,
  WebhookDeliverySchema,
} from './webhook-delivery.entity.ts'
export { WebhookEndpoint, WebhookEndpointSchema } from './webhook-endpoint.entity.ts'
export {
  createEndpoint,
  dropOldSecret,
  type EndpointInput,
  listenFor,
  type NewEndpoint,
  resendDead,
  rotateEndpointSecret,
  testEndpoint,
} from './webhook-endpoints.ts'
