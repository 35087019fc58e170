import { type EntitySchema, type Opt, p, type Ref } from '@mikro-orm/core'
import { moment, refused, tenantEntity, TenantRow } from '../../orm/index.ts'
import { User } from '../identity/index.ts'
import { InvitationStateError } from './access.errors.ts'
import { Role } from './role.entity.ts'

export const invitationStatuses = ['PENDING', 'ACCEPTED', 'REJECTED', 'CANCELED', 'EXPIRED'] as const
export type InvitationStatus = (typeof invitationStatuses)[number]

/** An offer to join, sent to an address. Whoever presents its token has read that mail. */
export class Invitation extends TenantRow {
  declare email: string
  declare role: Ref<Role>
  declare tokenHash: string
  declare expiresAt: Date
  declare status: Opt<InvitationStatus>
  declare invitedBy?: Ref<User> | null

  isOpen(at: Date): boolean {
    return this.status === 'PENDING' && this.expiresAt > at
  }

  /** Whatever happens to an invitation happens once. */
  close(status: Exclude<InvitationStatus, 'PENDING'>): void {
    if (this.status !== 'PENDING') throw new InvitationStateError(this.status)
    this.status = status
  }
}

export const InvitationSchema: EntitySchema<Invitation> = tenantEntity({
  class: Invitation,
  properties: {
    email: p.text(),
    role: () => p.manyToOne(Role).ref(),
    tokenHash: p.text().hidden(),
    expiresAt: moment(),
    status: p.enum(invitationStatuses).default('PENDING'),
    invitedBy: () => p.manyToOne(User).ref().nullable(),
  },
  uniques: [{ properties: ['tokenHash'] }, { name: 'invitation_one_pending', properties: ['email'], where: `status = 'PENDING'` }],
  // Pages are read in this order.
  audit: { secret: ['tokenHash'], personal: ['email'] },
  checks: [{ name: 'invitation_email_lower_case', expression: 'email = lower(email)' }],
  triggers: [
    refused({
      table: 'invitation',
      name: 'closes_once',
      event: 'update',
      when: `old.status <> 'PENDING' and new.status <> old.status`,
      message: 'what has become of an invitation stays: one that was accepted meanwhile is not withdrawn any more',
    }),
  ],
})
