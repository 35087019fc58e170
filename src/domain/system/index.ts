/**
 * System: what the platform keeps about itself and does for everybody. Job runs say what was done without a request, for whom, and how it went;
 * settings are what an organization has set otherwise; idempotency keys make writes repeatable; webhooks tell the world what happens, signed,
 * with a dead letter for what nobody takes; retention removes what has had its time.
 */
export { answerOnce, countExpiredIdempotencyKeys, forgetIdempotencyKeys, type RepeatableRequest, type StoredAnswer } from './idempotency.ts'
export { IdempotencyKey, IdempotencyKeySchema, type IdempotencyStatus, idempotencyStatuses } from './idempotency-key.entity.ts'
export { JobRun, JobRunSchema, type JobStatus, jobStatuses } from './job-run.entity.ts'
export { type CleanUp, cleanupSoftDeletedRecords, forgetFinished } from './retention.ts'
export { SeedRun, SeedRunSchema } from './seed-run.entity.ts'
export { clearSetting, defineSetting, keepDeletedDays, keepFinishedDays, putSetting, type Setting, settingOf } from './settings.ts'
export { EventPatternError, IdempotencyInFlightError, IdempotencyMismatchError, SettingInvalidError } from './system.errors.ts'
export { SystemSetting, SystemSettingSchema } from './system-setting.entity.ts'
export { countDueDeliveries, type Deliverer, deliverWebhooks, queueDeliveries } from './webhook-deliveries.ts'
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
