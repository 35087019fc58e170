import { type Actor, apiKeyActor, userActor } from '../context/index.ts'
import type { Session, User } from '../domain/identity/index.ts'

export interface Person {
  readonly kind: 'person'
  readonly user: User
  readonly session: Session
  readonly token: string
}

/** A program whose key held not long ago. Each unit of work asks again whether it still does. */
export interface Program {
  readonly kind: 'program'
  readonly key: string
  readonly apiKeyId: string
  readonly tenantId: string
  /** What was found about it and its organization then, to the letter. */
  readonly found: string
}

/** Who sent a request. */
export type Principal = Person | Program

export function actorOf(principal: Principal): Actor {
  return principal.kind === 'person' ? userActor(principal.user) : apiKeyActor(principal.apiKeyId)
}
