import { now } from '../../kernel/clock.ts'
import type { ScopedEntityManager } from '../../orm/index.ts'
import { normalizeEmail } from '../identity/index.ts'
import { IntakeRequest } from './intake-request.entity.ts'
import type { TaskSource } from './task-words.ts'

export interface IntakeInput {
  readonly source: TaskSource
  readonly subject: string
  readonly body?: string | null
  readonly requesterEmail?: string | null
  readonly receivedAt?: Date
}

/** Takes in what somebody asks for. Their address is written like everybody's, so that it is found again. */
export function receiveRequest(em: ScopedEntityManager, { requesterEmail, receivedAt = now(), ...input }: IntakeInput): IntakeRequest {
  const email = requesterEmail === undefined || requesterEmail === null ? null : normalizeEmail(requesterEmail)
  return em.create(IntakeRequest, { ...input, receivedAt, requesterEmail: email })
}
