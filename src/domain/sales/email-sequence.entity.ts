import { type Collection, type EntitySchema, type Opt, p, type Ref } from '@mikro-orm/core'
import { nextState, type Transitions } from '../../kernel/transitions.ts'
import { tenantEntity, TenantRow } from '../../orm/index.ts'
import { type MessageChannel, messageChannels } from './message-words.ts'
import { SequenceInvalidError, SequenceLockedError } from './sales.errors.ts'
import { type StepTemplate, templateProblems } from './step-template.ts'

export const sequenceStatuses = ['DRAFT', 'ACTIVE', 'PAUSED', 'ARCHIVED'] as const
export type SequenceStatus = (typeof sequenceStatuses)[number]

export const sequenceTransitions: Transitions<SequenceStatus> = {
  DRAFT: ['ACTIVE', 'ARCHIVED'],
  ACTIVE: ['PAUSED', 'ARCHIVED'],
  PAUSED: ['ACTIVE', 'ARCHIVED'],
  ARCHIVED: [],
}

/** Messages that follow one another. While it is active its steps stay as they are, for somebody is half way through them. */
export class EmailSequence extends TenantRow {
  declare name: string
  declare status: Opt<SequenceStatus>
  declare locale: Opt<string>
  declare steps: Collection<SequenceStep>
  declare version: Opt<number>

  /** `steps` are all that it has. */
  activate(steps: readonly StepContent[]): void {
    const status = nextState('A sequence', sequenceTransitions, this.status, 'ACTIVE')
    const problems = stepProblems(steps)
    if (problems.length > 0) throw new SequenceInvalidError(problems)
    this.status = status
  }

  pause(): void {
    this.become('PAUSED')
  }

  archive(): void {
    this.become('ARCHIVED')
  }

  requireEditable(): void {
    if (this.status === 'ACTIVE' || this.status === 'ARCHIVED') throw new SequenceLockedError(this.status)
  }

  private become(status: SequenceStatus): void {
    this.status = nextState('A sequence', sequenceTransitions, this.status, status)
  }
}

export const EmailSequenceSchema: EntitySchema<EmailSequence> = tenantEntity({
  class: EmailSequence,
  properties: {
    name: p.text(),
    status: p.enum(sequenceStatuses).default('DRAFT'),
    locale: p.text().default('en'),
    steps: () => p.oneToMany(SequenceStep).mappedBy('sequence').orderBy({ position: 'asc' }),
    version: p.integer().version(),
  },
  uniques: [{ properties: ['name'] }],
})

export class SequenceStep extends TenantRow {
  declare sequence: Ref<EmailSequence>
  /** From 1, without a gap once the sequence is active. */
  declare position: number
  /** After the step before it, or after the enrolment. */
  declare delayHours: Opt<number>
  /** An e-mail has one. */
  declare subject?: string | null
  declare bodyTemplate: string
  declare channel: Opt<MessageChannel>
}

export const SequenceStepSchema: EntitySchema<SequenceStep> = tenantEntity({
  class: SequenceStep,
  properties: {
    sequence: () => p.manyToOne(EmailSequence).ref().deleteRule('cascade'),
    position: p.integer(),
    delayHours: p.integer().default(0),
    subject: p.text().nullable(),
    bodyTemplate: p.text(),
    channel: p.enum(messageChannels).default('EMAIL'),
  },
  uniques: [{ properties: ['sequence', 'position'] }],
  checks: [
    { name: 'sequence_step_position', expression: 'position > 0' },
    { name: 'sequence_step_delay', expression: 'delay_hours >= 0' },
    { name: 'sequence_step_subject', expression: `channel <> 'EMAIL' or subject is not null` },
  ],
  immutable: ['sequence'],
})

export interface StepContent extends StepTemplate {
  readonly position: number
}

function stepProblems(steps: readonly StepContent[]): string[] {
  if (steps.length === 0) return ['it has no step']
  const positions = steps.map(({ position }) => position).toSorted((a, b) => a - b)
  const gap = positions.findIndex((position, index) => position !== index + 1)
  return [
    ...(gap < 0 ? [] : [`step ${gap + 1} is missing`]),
    ...steps.flatMap(step => templateProblems(step).map(problem => `step ${step.position}: ${problem}`)),
  ]
}
