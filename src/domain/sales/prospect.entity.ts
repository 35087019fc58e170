import { type EntitySchema, type Opt, p, type Ref } from '@mikro-orm/core'
import { nextState, type Transitions } from '../../kernel/transitions.ts'
import { tenantEntity, TenantRow } from '../../orm/index.ts'
import { normalizeEmail, User } from '../identity/index.ts'
import { IdealCustomerProfile } from './ideal-customer-profile.entity.ts'
import type { CriterionScore } from './score-of.ts'

export const prospectStatuses = ['NEW', 'QUALIFIED', 'CONTACTED', 'ENGAGED', 'WON', 'LOST'] as const
export type ProspectStatus = (typeof prospectStatuses)[number]

/** What a prospect may become. Whoever was lost may be taken up again; whoever was won is a customer now. */
export const prospectTransitions: Transitions<ProspectStatus> = {
  NEW: ['QUALIFIED', 'CONTACTED', 'ENGAGED', 'LOST'],
  QUALIFIED: ['CONTACTED', 'ENGAGED', 'LOST'],
  CONTACTED: ['ENGAGED', 'WON', 'LOST'],
  ENGAGED: ['WON', 'LOST'],
  WON: [],
  LOST: ['QUALIFIED'],
}

/** Somebody who may become a customer. One that is deleted is kept, and its address is free for another. */
export class Prospect extends TenantRow {
  declare email: string
  declare firstName?: string | null
  declare lastName?: string | null
  declare company?: string | null
  declare companyDomain?: string | null
  declare industry?: string | null
  declare region?: string | null
  /** How many people work there. */
  declare companySize?: number | null
  declare data: Opt<Record<string, unknown>>
  /** From 0 to 100, as the breakdown explains; null until it is scored. */
  declare score?: number | null
  declare scoreBreakdown: Opt<readonly CriterionScore[]>
  declare status: Opt<ProspectStatus>
  declare icp?: Ref<IdealCustomerProfile> | null
  declare owner?: Ref<User> | null
  declare locale: Opt<string>
  declare deletedAt?: Date | null
  declare version: Opt<number>
  /** Made by the database, for `searchProspects` alone. */
  declare searchVector?: Opt<string> | null

  isOpen(): boolean {
    return !this.deletedAt && this.status !== 'WON' && this.status !== 'LOST'
  }

  changeEmail(email: string): void {
    this.email = normalizeEmail(email)
  }

  /** Also takes up again whoever was lost. */
  qualify(): void {
    this.become('QUALIFIED')
  }

  contact(): void {
    this.become('CONTACTED')
  }

  engage(): void {
    this.become('ENGAGED')
  }

  win(): void {
    this.become('WON')
  }

  lose(): void {
    this.become('LOST')
  }

  softDelete(at: Date): void {
    this.deletedAt ??= at
  }

  /** Refused by the database where the address is taken meanwhile; `restoreProspect` says so in words. */
  restore(): void {
    this.deletedAt = null
  }

  private become(status: ProspectStatus): void {
    this.status = nextState('A prospect', prospectTransitions, this.status, status)
  }
}

/** Names weigh more than where they work. Without stemming, because names aren't words of any language. */
const searchVector = (['first_name', 'last_name', 'email', 'company', 'company_domain'] as const)
  .map((column, index) => `setweight(to_tsvector('simple'::regconfig, coalesce(${column}, '')), '${index < 2 ? 'A' : 'B'}')`)
  .join(' || ')

export const ProspectSchema: EntitySchema<Prospect> = tenantEntity({
  class: Prospect,
  softDelete: true,
  properties: {
    email: p.text(),
    firstName: p.text().nullable(),
    lastName: p.text().nullable(),
    company: p.text().nullable(),
    companyDomain: p.text().nullable(),
    industry: p.text().nullable(),
    region: p.text().nullable(),
    companySize: p.integer().nullable(),
    data: p
      .json<Record<string, unknown>>()
      .onCreate(() => ({}))
      .defaultRaw(`'{}'`),
    score: p.integer().nullable(),
    scoreBreakdown: p
      .json<readonly CriterionScore[]>()
      .onCreate(() => [])
      .defaultRaw(`'[]'`),
    status: p.enum(prospectStatuses).default('NEW'),
    icp: () => p.manyToOne(IdealCustomerProfile).ref().nullable(),
    owner: () => p.manyToOne(User).ref().nullable(),
    locale: p.text().default('en'),
    version: p.integer().version(),
    searchVector: p.string().columnType('tsvector').generated(`(${searchVector}) stored`).nullable().lazy().hidden(),
  },
  uniques: [{ properties: ['email'] }],
  indexes: [
    { properties: ['companyDomain'] },
    { properties: ['score'] },
    { properties: ['deletedAt'], where: 'deleted_at is not null' },
    {
      name: 'prospect_search',
      properties: ['searchVector'],
      expression: 'create index "prospect_search" on "prospect" using gin ("search_vector")',
    },
  ],
  audit: { personal: ['email', 'firstName', 'lastName', 'data'] },
  checks: [
    { name: 'prospect_email_lower_case', expression: 'email = lower(email)' },
    { name: 'prospect_company_size', expression: 'company_size > 0' },
    { name: 'prospect_score', expression: 'score >= 0 and score <= 100' },
    { name: 'prospect_score_breakdown_list', expression: `jsonb_typeof(score_breakdown) = 'array'` },
  ],
})
