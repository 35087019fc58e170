import { countUnsealedPersonal, sealPersonal } from '../audit/index.ts'
import { rejectUnapproved } from '../domain/agents/internal.ts'
import { expireInvitations } from '../domain/access/index.ts'
import { countExpiredInvitations } from '../domain/access/internal.ts'
import { cleanupExpiredSessions, cleanupExpiredTokens } from '../domain/identity/index.ts'
import { type Actions, fireSchedules, runExecutions } from '../domain/automation/index.ts'
import { countDueSchedules, countQueuedExecutions } from '../domain/automation/internal.ts'
import { resetQuotas } from '../domain/billing/index.ts'
import { countDueResets } from '../domain/billing/internal.ts'
import { deliverIssues, type NewsletterSettings } from '../domain/commerce/index.ts'
import { countDueIssues } from '../domain/commerce/internal.ts'
import { type DocumentStore, removeStrayFiles } from '../domain/documents/index.ts'
import { countStrayFiles } from '../domain/documents/internal.ts'
import {
  cleanupSoftDeletedRecords,
  deliverWebhooks,
  forgetFinished,
  forgetIdempotencyKeys,
  JobRun,
  keepDeletedDays,
  type Publisher,
  relayMessages,
  settingOf,
} from '../domain/system/index.ts'
import { countDueDeliveries, countDueMessages, countExpiredIdempotencyKeys } from '../domain/system/internal.ts'
import { sendReminders } from '../domain/scheduling/index.ts'
import { countDueReminders } from '../domain/scheduling/internal.ts'
import { advanceCampaigns } from '../domain/sales/index.ts'
import { countDueCampaigns } from '../domain/sales/internal.ts'
import { expireApprovals } from '../domain/work/index.ts'
import { countOverdueApprovals } from '../domain/work/internal.ts'
import { guardedPost, type Post } from '../kernel/outgoing.ts'
import { type Anchor, countUnsealed, sealLog } from '../ledger/index.ts'
import type { Job } from './job.ts'

const second = 1_000
const minute = 60 * second
const hour = 60 * minute

const missingPartitions = `select count(*)::int as made from generate_series(0, 3) as ahead
  where to_regclass('audit_event_' || to_char(date_trunc('month', now() at time zone 'UTC') + ahead * interval '1 month', 'YYYY_MM')) is null`

/** Makes the log's next partitions, so that no event has to go into the default one. */
const prepareAuditPartitions: Job = {
  name: 'prepare-audit-partitions',
  everyMs: 12 * hour,
  async forPlatform(em, { dryRun }) {
    const [row] = await em.execute<{ made: number }[]>(dryRun ? missingPartitions : 'select daybook_prepare_audit_partitions(3) as made')
    return row!.made
  },
}

/** Seals what the sentinel had to put beside the log in clear. */
const sealPersonalValues: Job = {
  name: 'seal-personal-values',
  everyMs: minute,
  forPlatform: (em, { dryRun }) => (dryRun ? countUnsealedPersonal(em) : sealPersonal(em)),
}

const cleanUpIdentity: Job = {
  name: 'clean-up-identity',
  everyMs: hour,
  forPlatform: async (em, context) => (await cleanupExpiredSessions(em, context)) + (await cleanupExpiredTokens(em, context)),
}

const expireOpenInvitations: Job = {
  name: 'expire-invitations',
  everyMs: hour,
  due: countExpiredInvitations,
  forTenant: (em, { at }) => expireInvitations(em, at),
}

const expireOpenApprovals: Job = {
  name: 'expire-approvals',
  everyMs: 5 * minute,
  due: countOverdueApprovals,
  forTenant: async (em, { at }) => (await expireApprovals(em, at)) + (await rejectUnapproved(em)),
}

const sendDueReminders: Job = {
  name: 'send-reminders',
  everyMs: minute,
  due: countDueReminders,
  forTenant: (em, { at }) => sendReminders(em, at),
}

const advanceRunningCampaigns: Job = {
  name: 'advance-campaigns',
  everyMs: minute,
  due: countDueCampaigns,
  forTenant: (em, { at }) => advanceCampaigns(em, at),
}

/** A run in which there was nothing to do says nothing after a day. */
const forgetJobRuns: Job = {
  name: 'forget-job-runs',
  everyMs: 12 * hour,
  async forPlatform(em, { at, dryRun }) {
    const before = (days: number) => ({ finishedAt: { $lte: new Date(at.getTime() - days * 24 * hour) } })
    const old = { $or: [before(90), { ...before(1), status: 'OK' as const, processed: 0 }] }
    return dryRun ? em.count(JobRun, old) : em.nativeDelete(JobRun, old)
  },
}

/** Quotas begin again by themselves; this says so, and when they do next. */
const resetEachQuota: Job = {
  name: 'reset-quotas',
  everyMs: 10 * minute,
  due: countDueResets,
  forTenant: (em, { at }) => resetQuotas(em, at),
}

const fireDueSchedules: Job = {
  name: 'fire-schedules',
  everyMs: 30 * second,
  due: countDueSchedules,
  forTenant: (em, { at }) => fireSchedules(em, at),
}

/** Runs what automations have queued. */
function runAutomations({ actions = {}, post = guardedPost() }: JobSettings): Job {
  return {
    name: 'run-automations',
    everyMs: 5 * second,
    due: countQueuedExecutions,
    outsideForTenant: ({ transact, transactAs }, { at }) => runExecutions({ actions, post, transact, transactAs }, at),
  }
}

/** Tells endpoints what happened. */
function deliver({ post = guardedPost() }: JobSettings): Job {
  return {
    name: 'deliver-webhooks',
    everyMs: 5 * second,
    due: countDueDeliveries,
    outsideForTenant: ({ transact }, { at }) => deliverWebhooks({ post, transact }, at),
  }
}

/** Sends newsletters whose time has come. */
function sendNewsletters(newsletter: NewsletterSettings): Job {
  return {
    name: 'send-newsletters',
    everyMs: 10 * second,
    due: countDueIssues,
    outsideForTenant: ({ transact }, { at }) => deliverIssues({ ...newsletter, transact }, at),
  }
}

/** Hands messages to a broker. */
function relay(publisher: Publisher): Job {
  return {
    name: 'relay-messages',
    everyMs: 2 * second,
    due: countDueMessages,
    outsideForTenant: ({ transact }, { at }) => relayMessages({ publisher, transact }, at),
  }
}

/** Removes files that no document has any more. */
function removeFiles(store: DocumentStore): Job {
  return {
    name: 'remove-files',
    everyMs: minute,
    alsoForUnserved: true,
    due: countStrayFiles,
    outsideForTenant: ({ transact }, { at }) => removeStrayFiles({ store, transact }, at),
  }
}

/** Seals what the log tells. What has not settled yet isn't due, and how much has settled is known in the middle of it alone. */
function seal({ anchors = [] }: JobSettings): Job {
  return {
    name: 'seal',
    everyMs: 10 * second,
    alsoForUnserved: true,
    outsideForTenant: ({ transact }, { dryRun, installation }) =>
      dryRun ? transact(countUnsealed) : sealLog(transact, { anchors, installation }),
  }
}

const forgetAnswers: Job = {
  name: 'forget-idempotency-keys',
  everyMs: hour,
  alsoForUnserved: true,
  due: countExpiredIdempotencyKeys,
  forTenant: (em, { at }) => forgetIdempotencyKeys(em, at),
}

/** Removes what has had its time, as each organization has set it. */
const retention: Job = {
  name: 'retention',
  everyMs: 12 * hour,
  alsoForUnserved: true,
  forTenant: async (em, context) =>
    (await cleanupSoftDeletedRecords(em, await settingOf(em, keepDeletedDays), context)) + (await forgetFinished(em, context)),
}

export interface JobSettings {
  /** What automations of kind `action` do, by name. */
  readonly actions?: Actions
  /** How automations and webhooks call elsewhere; public https addresses alone, unless said otherwise. */
  readonly post?: Post
  /** Where messages of the outbox go. Without it they wait. */
  readonly publisher?: Publisher
  /** How newsletters are mailed, and where one leaves them. Without it they stay where they are. */
  readonly newsletter?: NewsletterSettings
  /** Where the files of documents are. Without it nothing is removed there. */
  readonly store?: DocumentStore
  /** Where checkpoints are published. */
  readonly anchors?: readonly Anchor[]
}

/** What a running Daybook does by itself. */
export const jobsWith = (settings: JobSettings = {}): readonly Job[] => [
  prepareAuditPartitions,
  sealPersonalValues,
  cleanUpIdentity,
  expireOpenInvitations,
  expireOpenApprovals,
  fireDueSchedules,
  runAutomations(settings),
  deliver(settings),
  ...(settings.publisher ? [relay(settings.publisher)] : []),
  ...(settings.newsletter ? [sendNewsletters(settings.newsletter)] : []),
  ...(settings.store ? [removeFiles(settings.store)] : []),
  seal(settings),
  forgetAnswers,
  retention,
  sendDueReminders,
  advanceRunningCampaigns,
  resetEachQuota,
  forgetJobRuns,
]

export const jobs = jobsWith()
