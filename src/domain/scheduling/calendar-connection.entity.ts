import { type EntitySchema, type Opt, p, type Ref } from '@mikro-orm/core'
import { nextState, type Transitions } from '../../kernel/transitions.ts'
import { moment, tenantEntity, TenantRow } from '../../orm/index.ts'
import { User } from '../identity/index.ts'

export const calendarProviders = ['GOOGLE', 'OUTLOOK', 'APPLE', 'ZOOM'] as const
export type CalendarProvider = (typeof calendarProviders)[number]

export const connectionStatuses = ['ACTIVE', 'EXPIRED', 'REVOKED'] as const
export type ConnectionStatus = (typeof connectionStatuses)[number]

export const connectionTransitions: Transitions<ConnectionStatus> = {
  ACTIVE: ['EXPIRED', 'REVOKED'],
  EXPIRED: ['ACTIVE', 'REVOKED'],
  REVOKED: ['ACTIVE'],
}

/** One account of a person at a provider of calendars, and the token that opens it. A revoked one has no token any more. */
export class CalendarConnection extends TenantRow {
  declare user: Ref<User>
  declare provider: CalendarProvider
  declare externalAccount: string
  /** Sealed for this row; `tokenOf` opens it. */
  declare tokenRef?: string | null
  declare scopes: Opt<string[]>
  declare syncedAt?: Date | null
  declare status: Opt<ConnectionStatus>
  declare version: Opt<number>

  /** The provider doesn't take the token any more. */
  expire(): void {
    this.become('EXPIRED')
  }

  /** A new token replaces whatever there was. */
  renew(tokenRef: string): void {
    if (this.status !== 'ACTIVE') this.become('ACTIVE')
    this.tokenRef = tokenRef
  }

  revoke(): void {
    this.become('REVOKED')
    this.tokenRef = null
  }

  private become(status: ConnectionStatus): void {
    this.status = nextState('A calendar connection', connectionTransitions, this.status, status)
  }
}

export const CalendarConnectionSchema: EntitySchema<CalendarConnection> = tenantEntity({
  class: CalendarConnection,
  properties: {
    user: () => p.manyToOne(User).ref(),
    provider: p.enum(calendarProviders),
    externalAccount: p.text(),
    tokenRef: p.text().hidden().nullable(),
    scopes: p
      .array()
      .onCreate(() => [])
      .defaultRaw(`'{}'`),
    syncedAt: moment().nullable(),
    status: p.enum(connectionStatuses).default('ACTIVE'),
    version: p.integer().version(),
  },
  uniques: [{ properties: ['user', 'provider', 'externalAccount'] }],
  checks: [{ name: 'calendar_connection_token', expression: `(status = 'REVOKED') = (token_ref is null)` }],
  immutable: ['user', 'provider', 'externalAccount'],
  audit: { secret: ['tokenRef'], personal: ['externalAccount'], person: 'user' },
})
