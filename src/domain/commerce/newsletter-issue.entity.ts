import { type EntitySchema, type Opt, p } from '@mikro-orm/core'
import { nextState, type Transitions } from '../../kernel/transitions.ts'
import { moment, refused, tenantEntity, TenantRow } from '../../orm/index.ts'
import { IssueNotDueError, IssueNotReadyError } from './commerce.errors.ts'

export const issueStatuses = ['DRAFT', 'SCHEDULED', 'RUNNING', 'PAUSED', 'DONE'] as const
export type IssueStatus = (typeof issueStatuses)[number]

export const issueTransitions: Transitions<IssueStatus> = {
  DRAFT: ['SCHEDULED'],
  SCHEDULED: ['DRAFT', 'RUNNING'],
  RUNNING: ['PAUSED', 'DONE'],
  PAUSED: ['RUNNING'],
  DONE: [],
}

export interface IssueStats {
  /** How many of those who were to get it have it. */
  readonly delivered: number
}

/** One newsletter, delivered to one subscriber after the other in the order of their ids. */
export class NewsletterIssue extends TenantRow {
  declare subject: string
  declare body: string
  declare status: Opt<IssueStatus>
  declare scheduledAt?: Date | null
  declare sentAt?: Date | null
  declare stats: Opt<IssueStats>
  /** The last subscriber to whom it was delivered, so that it goes on behind them. */
  declare position?: string | null
  declare version: Opt<number>

  schedule(scheduledAt: Date, at: Date): void {
    const problems = [
      ...(this.subject.trim() ? [] : ['it has no subject']),
      ...(this.body.trim() ? [] : ['it has no body']),
      ...(scheduledAt >= at ? [] : ['its time is past']),
    ]
    if (problems.length > 0) throw new IssueNotReadyError(problems)
    this.become('SCHEDULED')
    this.scheduledAt = scheduledAt
  }

  /** Back on the desk. */
  unschedule(): void {
    this.become('DRAFT')
    this.scheduledAt = null
  }

  start(at: Date): void {
    if (this.scheduledAt && this.scheduledAt > at) throw new IssueNotDueError(this.scheduledAt)
    this.become('RUNNING')
  }

  pause(): void {
    this.become('PAUSED')
  }

  resume(): void {
    if (this.status !== 'RUNNING') this.become('RUNNING')
  }

  advance(position: string): void {
    this.position = position
  }

  /** So many more. */
  hasReached(sent: number): void {
    if (sent > 0) this.stats = { delivered: this.stats.delivered + sent }
  }

  /** Everybody's turn has come. What a mailer would not take is tried again after that. */
  finish(at: Date): void {
    this.become('DONE')
    this.sentAt = at
  }

  private become(status: IssueStatus): void {
    this.status = nextState('A newsletter', issueTransitions, this.status, status)
  }
}

export const NewsletterIssueSchema: EntitySchema<NewsletterIssue> = tenantEntity({
  class: NewsletterIssue,
  properties: {
    subject: p.text(),
    body: p.text(),
    status: p.enum(issueStatuses).default('DRAFT'),
    scheduledAt: moment().nullable(),
    sentAt: moment().nullable(),
    stats: p
      .json<IssueStats>()
      .onCreate(() => ({ delivered: 0 }))
      .defaultRaw(`'{"delivered": 0}'`),
    position: p.uuid().nullable(),
    version: p.integer().version(),
  },
  restored: issue => {
    if (issue.status === 'RUNNING') issue.pause()
    if (issue.status === 'SCHEDULED') issue.unschedule()
  },
  indexes: [{ properties: ['status', 'scheduledAt'] }],
  checks: [
    { name: 'newsletter_issue_scheduled', expression: `(status = 'DRAFT') = (scheduled_at is null)` },
    { name: 'newsletter_issue_sent', expression: `(status = 'DONE') = (sent_at is not null)` },
  ],
  triggers: [
    refused({
      table: 'newsletter_issue',
      name: 'one_wording',
      event: 'update',
      when: `old.status in ('RUNNING', 'PAUSED', 'DONE') and (new.subject <> old.subject or new.body <> old.body)`,
      message: 'everybody gets the same newsletter: once it is being sent, its words stay',
    }),
  ],
})
