import { openSecret, sealSecret } from '../../audit/index.ts'
import type { ScopedEntityManager } from '../../orm/index.ts'
import { User } from '../identity/index.ts'
import { CalendarConnection, type CalendarProvider } from './calendar-connection.entity.ts'
import { ConnectionForeignError, ConnectionInactiveError } from './scheduling.errors.ts'

export interface ConnectionInput {
  readonly provider: CalendarProvider
  /** What the provider calls the account, most often an e-mail address. */
  readonly externalAccount: string
  /** What opens the calendar; sealed before it is written. */
  readonly token: string
  readonly scopes?: readonly string[]
}

/** Connects a calendar of whoever acts. One that was connected before gets the new token. */
export async function connectCalendar(em: ScopedEntityManager, input: ConnectionInput): Promise<CalendarConnection> {
  const { provider, externalAccount, token, scopes = [] } = input
  const user = personIn(em)
  const known = await em.findOne(CalendarConnection, { user, provider, externalAccount })
  const connection = known ?? em.create(CalendarConnection, { user: em.getReference(User, user), provider, externalAccount })
  connection.renew(await sealSecret(em, connection, token))
  connection.scopes = [...scopes]
  return connection
}

/** The token in clear, for the one to whom the calendar belongs. */
export async function tokenOf(em: ScopedEntityManager, connection: CalendarConnection): Promise<string> {
  requireOwn(em, connection)
  requireActive(connection)
  return openSecret(em, connection, connection.tokenRef!)
}

/** The provider has given a new token for the old one. */
export async function refreshToken(em: ScopedEntityManager, connection: CalendarConnection, token: string): Promise<void> {
  requireOwn(em, connection)
  if (connection.status === 'REVOKED') throw new ConnectionInactiveError(connection.status)
  connection.renew(await sealSecret(em, connection, token))
}

export function requireActive({ status }: CalendarConnection): void {
  if (status !== 'ACTIVE') throw new ConnectionInactiveError(status)
}

function requireOwn(em: ScopedEntityManager, connection: CalendarConnection): void {
  if (connection.user.id !== personIn(em)) throw new ConnectionForeignError()
}

function personIn(em: ScopedEntityManager): string {
  const actor = em.boundScope?.actor
  if (actor?.type !== 'user') throw new ConnectionForeignError()
  return actor.id
}
