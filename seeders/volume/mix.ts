import {
  AgentDecision,
  AIInsight,
  AuditIssue,
  AuditResult,
  BookingSlot,
  CampaignEnrollment,
  ContentEntry,
  ErrorSignature,
  IntakeRequest,
  MarketplaceItem,
  Message,
  Prospect,
  SchedulingEvent,
  Task,
  taskPriorities,
  taskSources,
  UsageEvent,
  usageMetrics,
  WorkflowExecution,
} from '../../src/entities.ts'
import { idAt } from '../../src/kernel/determinism.ts'
import { digest } from '../../src/kernel/secret.ts'
import { type VolumeTable, volumeTable } from './volume-table.ts'
import { firstNames, industries, lastNames, regions, routes, subjects } from './words.ts'

const hour = 3_600_000
const later = (at: Date, hours: number) => new Date(at.getTime() + hours * hour)

const prospects = volumeTable(Prospect, 200, ({ n, tenant, dice }) => {
  const [firstName, lastName, domain] = [dice.pick(firstNames), dice.pick(lastNames), `company-${dice.below(n + 10)}.example`]
  const status = dice.pick(['NEW', 'NEW', 'QUALIFIED', 'CONTACTED', 'ENGAGED', 'WON', 'LOST'] as const)
  return {
    email: `${firstName}.${lastName}.${n}@${domain}`.toLowerCase(),
    firstName,
    lastName,
    company: `${lastName} & Co`,
    companyDomain: domain,
    industry: dice.pick(industries),
    region: dice.pick(regions),
    companySize: 1 + dice.below(2_000),
    score: dice.below(101),
    status,
    icp: tenant.icp,
    owner: dice.pick(tenant.people),
    locale: dice.pick(['en', 'en', 'fr']),
    version: 1,
  }
})

const tasks = volumeTable(Task, 220, ({ tenant, dice, at, some }) => {
  const status = dice.pick(['DONE', 'DONE', 'DONE', 'DONE', 'CANCELLED', 'NEW', 'IN_PROGRESS', 'NEEDS_REVIEW', 'BLOCKED'] as const)
  const stage = dice.pick(tenant.stages)
  return {
    title: `${dice.pick(subjects)} for ${dice.pick(lastNames)}`,
    status,
    priority: dice.pick(taskPriorities),
    source: dice.pick(taskSources),
    pipeline: stage.pipeline,
    stage: stage.id,
    stageEnteredAt: at,
    assignee: dice.chance(0.8) ? dice.pick(tenant.people) : null,
    prospectId: dice.chance(0.3) ? some(prospects) : null,
    dueAt: dice.chance(0.7) ? later(at, dice.below(14 * 24)) : null,
    completedAt: status === 'DONE' ? later(at, dice.below(10 * 24)) : null,
    data: { estimate: dice.below(16) },
    version: 1,
  }
})

const messages = volumeTable(Message, 220, ({ tenant, dice, at, some }) => {
  const status = dice.pick(['SENT', 'DELIVERED', 'DELIVERED', 'DELIVERED', 'OPENED', 'OPENED', 'REPLIED', 'BOUNCED'] as const)
  return {
    channel: 'EMAIL' as const,
    direction: 'OUTBOUND' as const,
    campaign: tenant.campaign,
    prospect: some(prospects),
    subject: dice.pick(subjects),
    body: `<p>Good morning,</p><p>${dice.pick(subjects)}: shall we talk about it on one of these days?</p>`,
    status,
    sentAt: later(at, 1),
    openedAt: status === 'OPENED' || status === 'REPLIED' ? later(at, 5) : null,
    repliedAt: status === 'REPLIED' ? later(at, 9) : null,
  }
})

const enrollments = volumeTable(CampaignEnrollment, 30, ({ n, tenant, dice, at, idOf }) => {
  const isOver = dice.chance(0.9)
  return {
    campaign: tenant.campaign,
    prospect: idOf(prospects, n),
    nextStep: 1 + dice.below(3),
    nextAt: later(at, 72),
    stoppedAt: isOver ? later(at, 72) : null,
    stopReason: isOver ? dice.pick(['COMPLETED', 'REPLIED', 'BOUNCED'] as const) : null,
  }
})

const usage = volumeTable(UsageEvent, 170, ({ n, tenant, dice, at }) => ({
  metric: dice.pick(usageMetrics),
  quantity: 1 + dice.below(3),
  user: dice.pick(tenant.people),
  requestId: `request-${n}`,
  route: dice.pick(routes),
  durationMs: dice.below(900),
  status: dice.pick([200, 200, 200, 201, 204, 404]),
  metadata: {},
  occurredAt: at,
}))

const intake = volumeTable(IntakeRequest, 20, ({ n, dice, at }) => ({
  source: dice.pick(taskSources),
  subject: dice.pick(subjects),
  body: `${dice.pick(subjects)}, please. ${dice.pick(firstNames)}`,
  requesterEmail: `somebody-${n}@example.com`,
  status: dice.pick(['NEW', 'COMPLETED', 'COMPLETED', 'COMPLETED', 'REJECTED'] as const),
  receivedAt: at,
  version: 1,
}))

const errors = volumeTable(ErrorSignature, 30, ({ n, tenant, dice, at }) => ({
  project: dice.pick(tenant.projects),
  hash: digest(`volume:${tenant.index}:${n}`),
  detector: dice.pick(['typescript', 'eslint', 'security', 'performance', 'circular']),
  severity: dice.pick(['CRITICAL', 'HIGH', 'MEDIUM', 'LOW', 'LOW'] as const),
  message: `Something is wrong with ${dice.pick(lastNames)} (${n}).`,
  file: `src/${dice.pick(lastNames).toLowerCase()}.ts`,
  line: 1 + dice.below(400),
  occurrences: 1 + dice.below(50),
  firstSeenAt: at,
  lastSeenAt: later(at, dice.below(500)),
  resolvedAt: dice.chance(0.6) ? later(at, 600) : null,
}))

const audits = volumeTable(AuditResult, 8, ({ tenant, dice }) => ({
  project: dice.pick(tenant.projects),
  url: `https://www.example.com/${dice.pick(lastNames).toLowerCase()}`,
  scores: { ACCESSIBILITY: dice.below(101), PERFORMANCE: dice.below(101) },
  totals: { HIGH: 1, LOW: 3 },
  status: dice.pick(['SUCCESS', 'SUCCESS', 'PARTIAL'] as const),
  durationMs: dice.below(30_000),
  environment: 'production',
  device: dice.pick(['desktop', 'mobile']),
}))

const issues = volumeTable(AuditIssue, 32, ({ dice, some }) => ({
  result: some(audits),
  suite: dice.pick(['ACCESSIBILITY', 'PERFORMANCE', 'SECURITY', 'SEO'] as const),
  severity: dice.pick(['HIGH', 'MEDIUM', 'LOW'] as const),
  message: `${dice.pick(subjects)} takes too long.`,
}))

const insights = volumeTable(AIInsight, 15, ({ dice, some, at, tenant }) => {
  const status = dice.pick(['NEW', 'ACCEPTED', 'ACCEPTED', 'DISMISSED'] as const)
  const isJudged = status !== 'NEW'
  return {
    subjectType: 'prospect',
    subjectId: some(prospects),
    kind: dice.pick(['next-step', 'risk', 'fit']),
    title: dice.pick(subjects),
    body: `${dice.pick(subjects)} would be worth a call.`,
    confidence: dice.below(1_000) / 1_000,
    status,
    model: 'small-1',
    decidedBy: isJudged ? dice.pick(tenant.people) : null,
    decidedAt: isJudged ? later(at, 24) : null,
    reason: isJudged ? 'It fits what we know.' : null,
    version: 1,
  }
})

const decisions = volumeTable(AgentDecision, 10, ({ n, tenant, dice, at }) => ({
  agent: tenant.agent,
  type: 'task.assignment',
  status: 'EXECUTED' as const,
  inputSource: 'task',
  input: { title: dice.pick(subjects) },
  reasoning: 'It is what they do best.',
  actions: [{ tool: 'task.assign', parameters: { to: dice.pick(tenant.people) } }],
  confidence: 0.8 + dice.below(200) / 1_000,
  requiresApproval: false,
  eventId: idAt(`decision:${tenant.id}`, n, at.getTime()),
  executedAt: later(at, 0),
  version: 1,
}))

const executions = volumeTable(WorkflowExecution, 15, ({ n, tenant, dice, at }) => ({
  automation: tenant.automation,
  key: `volume ${n}`,
  status: dice.pick(['SUCCESS', 'SUCCESS', 'SUCCESS', 'FAILED'] as const),
  input: {},
  attempt: 1,
  maxAttempts: 3,
  nextAttemptAt: at,
  startedAt: at,
  finishedAt: later(at, 0),
  durationMs: dice.below(5_000),
}))

/** One hour after the other in each calendar, so that none overlap. */
const events = volumeTable(SchedulingEvent, 12, ({ n, tenant, dice }) => {
  const startsAt = new Date(Date.UTC(2024, 0, 1) + Math.floor(n / tenant.people.length) * hour)
  return {
    title: dice.pick(subjects),
    startsAt,
    endsAt: later(startsAt, 0.75),
    timeZone: 'Europe/Paris',
    status: dice.pick(['COMPLETED', 'COMPLETED', 'CONFIRMED', 'CANCELLED'] as const),
    organizer: tenant.people[n % tenant.people.length]!,
    attendees: [],
    version: 1,
  }
})

const slots = volumeTable(BookingSlot, 6, ({ n }) => {
  const startsAt = new Date(Date.UTC(2026, 0, 5) + n * hour)
  const kind = 'AVAILABLE' as const
  return { startsAt, endsAt: later(startsAt, 1), timeZone: 'Europe/Paris', capacity: 2, kind, isBlocked: false, booked: 0 }
})

const items = volumeTable(MarketplaceItem, 2, ({ n, dice }) => ({
  sku: `ITEM-${n}`,
  title: dice.pick(subjects),
  kind: dice.pick(['PRODUCT', 'SERVICE'] as const),
  status: dice.pick(['AVAILABLE', 'AVAILABLE', 'SOLD_OUT'] as const),
  priceMinor: 500 + dice.below(50_000),
  currency: 'EUR',
  version: 1,
}))

const entries = volumeTable(ContentEntry, 10, ({ n, tenant, dice, at }) => ({
  type: dice.pick(['page', 'post', 'help']),
  slug: `entry-${Math.floor(n / 2)}`,
  locale: n % 2 === 0 ? 'en' : 'fr',
  title: dice.pick(subjects),
  body: Array.from({ length: 40 }, () => dice.pick(subjects)).join('. '),
  status: 'PUBLISHED' as const,
  author: dice.pick(tenant.people),
  publishedAt: at,
  version: 1,
}))

/** In the order of their references. */
export const mix: readonly VolumeTable[] = [
  prospects,
  tasks,
  messages,
  enrollments,
  usage,
  intake,
  errors,
  audits,
  issues,
  insights,
  decisions,
  executions,
  events,
  slots,
  items,
  entries,
]

/** With fewer a tenant couldn't have something of everything. */
export const fewestRows = 50

/** How many rows of each table make up a tenant's share, one at least. What is left of the division goes to the first. */
export function countsOf(rows: number): Map<VolumeTable, number> {
  const all = mix.reduce((sum, { share }) => sum + share, 0)
  const counts = new Map(mix.map(table => [table, Math.max(1, Math.floor((rows * table.share) / all))]))
  const left = rows - [...counts.values()].reduce((sum, count) => sum + count, 0)
  return counts.set(mix[0]!, counts.get(mix[0]!)! + left)
}
