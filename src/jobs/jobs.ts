import { sealPersonal } from '../audit/index.ts'
import { countExpiredInvitations, expireInvitations } from '../domain/access/index.ts'
import { cleanupExpiredSessions, cleanupExpiredTokens } from '../domain/identity/index.ts'
import { advanceCampaigns, countDueCampaigns } from '../domain/sales/index.ts'
import { JobRun } from '../domain/system/index.ts'
import { countOverdueApprovals, expireApprovals } from '../domain/work/index.ts'
import type { Job } from './job.ts'

const second = 1_000
const minute = 60 * second
const hour = 60 * minute

/** Makes the log's next partitions, so that no event has to go into the default one. */
const prepareAuditPartitions: Job = {
  name: 'prepare-audit-partitions',
  everyMs: 12 * hour,
  async forPlatform(em, { dryRun }) {
    if (dryRun) return 0
    const [row] = await em.execute<{ made: number }[]>('select daybook_prepare_audit_partitions(3) as made')
    return row!.made
  },
}

/** Seals what the sentinel had to put beside the log in clear. */
const sealPersonalValues: Job = {
  name: 'seal-personal-values',
  everyMs: minute,
  forPlatform: (em, { dryRun }) => (dryRun ? Promise.resolve(0) : sealPersonal(em)),
}

const cleanUpIdentity: Job = {
  name: 'clean-up-identity',
  everyMs: hour,
  forPlatform: async (em, context) => (await cleanupExpiredSessions(em, context)) + (await cleanupExpiredTokens(em, context)),
}

const expireOpenInvitations: Job = {
  name: 'expire-invitations',
  everyMs: hour,
  due: (em, tenant, { at }) => countExpiredInvitations(em, at, tenant),
  forTenant: (em, { at, dryRun }) => (dryRun ? countExpiredInvitations(em, at) : expireInvitations(em, at)),
}

const expireOpenApprovals: Job = {
  name: 'expire-approvals',
  everyMs: 5 * minute,
  due: (em, tenant, { at }) => countOverdueApprovals(em, at, tenant),
  forTenant: (em, { at, dryRun }) => (dryRun ? countOverdueApprovals(em, at) : expireApprovals(em, at)),
}

const advanceRunningCampaigns: Job = {
  name: 'advance-campaigns',
  everyMs: minute,
  due: (em, tenant, { at }) => countDueCampaigns(em, at, tenant),
  forTenant: (em, { at, dryRun }) => (dryRun ? countDueCampaigns(em, at) : advanceCampaigns(em, at)),
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

/** What a running Daybook does by itself. */
export const jobs: readonly Job[] = [
  prepareAuditPartitions,
  sealPersonalValues,
  cleanUpIdentity,
  expireOpenInvitations,
  expireOpenApprovals,
  advanceRunningCampaigns,
  forgetJobRuns,
]
