import { type EntitySchema, type Opt, p, type Ref } from '@mikro-orm/core'
import { nextState, type Transitions } from '../../kernel/transitions.ts'
import { currentUserSql, moment, tenantEntity, TenantRow } from '../../orm/index.ts'
import { User } from '../identity/index.ts'
import { Role } from './role.entity.ts'

export const membershipStatuses = ['ACTIVE', 'SUSPENDED', 'LEFT'] as const
export type MembershipStatus = (typeof membershipStatuses)[number]

export const membershipTransitions: Transitions<MembershipStatus> = {
  ACTIVE: ['SUSPENDED', 'LEFT'],
  SUSPENDED: ['ACTIVE', 'LEFT'],
  LEFT: ['ACTIVE'],
}

/** A person's place in an organization. It stays when they leave, because what they did there stays theirs. */
export class Membership extends TenantRow {
  declare user: Ref<User>
  declare role: Ref<Role>
  declare status: Opt<MembershipStatus>
  declare invitedBy?: Ref<User> | null
  declare joinedAt: Date
  declare version: Opt<number>

  suspend(): void {
    this.become('SUSPENDED')
  }

  reactivate(at: Date): void {
    if (this.status === 'LEFT') this.joinedAt = at
    this.become('ACTIVE')
  }

  leave(): void {
    this.become('LEFT')
  }

  private become(status: MembershipStatus): void {
    this.status = nextState('A membership', membershipTransitions, this.status, status)
  }
}

export const MembershipSchema: EntitySchema<Membership> = tenantEntity({
  class: Membership,
  properties: {
    user: () => p.manyToOne(User).ref(),
    role: () => p.manyToOne(Role).ref(),
    status: p.enum(membershipStatuses).default('ACTIVE'),
    invitedBy: () => p.manyToOne(User).ref().nullable(),
    joinedAt: moment(),
    version: p.integer().version(),
  },
  uniques: [{ properties: ['user'] }],
  // Pages are read in this order.
  // A membership makes a person visible to the tenant, so nobody but the person can make it, and it can't be turned over to another.
  restrictions: [{ name: 'joins_in_person', command: 'insert', check: `user_id = ${currentUserSql}` }],
  immutable: ['user'],
})
