import type { EntityClass } from '@mikro-orm/core'
import { now } from '../../kernel/clock.ts'
import { declarationOf, type Row, type ScopedEntityManager, tablesOf } from '../../orm/index.ts'
import { WorkflowExecution } from '../automation/index.ts'
import { OutboxMessage } from './outbox-message.entity.ts'
import { keepFinishedDays, keepSentDays, settingOf } from './settings.ts'
import { WebhookDelivery } from './webhook-delivery.entity.ts'

const dayMs = 24 * 60 * 60_000
const before = (at: Date, days: number) => new Date(at.getTime() - days * dayMs)

export interface CleanUp {
  readonly at?: Date
  /** Counts, and leaves everything as it is. */
  readonly dryRun?: boolean
}

interface SoftDeleted extends Row {
  deletedAt?: Date | null
}

/** Removes for good what was deleted more than so many days ago, of every entity whose rows are only marked; how many there were. */
export async function cleanupSoftDeletedRecords(
  em: ScopedEntityManager,
  days = 30,
  { at = now(), dryRun = false }: CleanUp = {},
): Promise<number> {
  let removed = 0
  for (const meta of tablesOf(em.getMetadata())) {
    if (!declarationOf(meta.class)?.softDelete) continue
    const entity = meta.class as EntityClass<SoftDeleted>
    const old = { deletedAt: { $lte: before(at, days) } }
    const options = { filters: { live: false } }
    removed += dryRun ? await em.count(entity, old, options) : await em.nativeDelete(entity, old, options)
  }
  return removed
}

/** Removes records of what is over and arrived, after as many days as the organization has set. */
export async function forgetFinished(em: ScopedEntityManager, { at = now(), dryRun = false }: CleanUp = {}): Promise<number> {
  const until = before(at, await settingOf(em, keepFinishedDays))
  const deliveries = { status: 'OK' as const, updatedAt: { $lte: until } }
  const runs = { status: { $in: ['SUCCESS', 'CANCELLED'] as const }, finishedAt: { $lte: until } }
  const messages = { status: 'SENT' as const, publishedAt: { $lte: before(at, await settingOf(em, keepSentDays)) } }
  if (dryRun)
    return (
      (await em.count(WebhookDelivery, deliveries)) + (await em.count(WorkflowExecution, runs)) + (await em.count(OutboxMessage, messages))
    )
  return (
    (await em.nativeDelete(WebhookDelivery, deliveries)) +
    (await em.nativeDelete(WorkflowExecution, runs)) +
    (await em.nativeDelete(OutboxMessage, messages))
  )
}
