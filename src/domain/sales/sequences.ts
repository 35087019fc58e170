import { wrap } from '@mikro-orm/core'
import { inTurn, lockedAfresh, type ScopedEntityManager } from '../../orm/index.ts'
import { EmailSequence, SequenceStep } from './email-sequence.entity.ts'
import type { MessageChannel } from './message-words.ts'

export interface StepInput {
  readonly position: number
  readonly delayHours?: number
  readonly channel?: MessageChannel
  readonly subject?: string | null
  readonly bodyTemplate: string
}

/** Activates a sequence whose steps follow each other without a gap, each of which can be filled in. */
export function activateSequence(em: ScopedEntityManager, sequence: EmailSequence): Promise<void> {
  return inTurn(em, async inner => {
    const locked = await lockedAfresh(inner, EmailSequence, sequence.id)
    locked.activate(await inner.find(SequenceStep, { sequence: locked }, { orderBy: { position: 'asc' }, refresh: true }))
  })
}

export function addStep(em: ScopedEntityManager, sequence: EmailSequence, input: StepInput): Promise<SequenceStep> {
  return inTurn(em, async inner => {
    const locked = await lockEditable(inner, sequence.id)
    return inner.create(SequenceStep, { ...input, sequence: wrap(locked).toReference() })
  })
}

export function changeStep(em: ScopedEntityManager, step: SequenceStep, changes: Partial<StepInput>): Promise<void> {
  return inTurn(em, async inner => {
    await lockEditable(inner, step.sequence.id)
    Object.assign(step, changes)
  })
}

/** Those behind it keep their positions, so the gap has to be closed before the sequence is active again. */
export function removeStep(em: ScopedEntityManager, step: SequenceStep): Promise<void> {
  return inTurn(em, async inner => {
    await lockEditable(inner, step.sequence.id)
    inner.remove(step)
  })
}

/** Whoever activates a sequence and whoever changes its steps take turns. */
async function lockEditable(em: ScopedEntityManager, id: string): Promise<EmailSequence> {
  const sequence = await lockedAfresh(em, EmailSequence, id)
  sequence.requireEditable()
  return sequence
}
