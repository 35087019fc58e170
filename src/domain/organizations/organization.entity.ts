import { type EntitySchema, type Opt, p } from '@mikro-orm/core'
import { currentTenantSql, globalEntity, inIdentityScopeSql, moment, Row } from '../../orm/index.ts'
import { OrganizationNotServedError } from './organization.errors.ts'

export const planTypes = ['FREE', 'STARTER', 'PROFESSIONAL', 'ENTERPRISE'] as const
export type PlanType = (typeof planTypes)[number]

export const organizationStatuses = ['ACTIVE', 'SUSPENDED', 'CLOSED'] as const
export type OrganizationStatus = (typeof organizationStatuses)[number]

export const dataRegions = ['EU', 'US', 'CA'] as const
export type DataRegion = (typeof dataRegions)[number]

/** The tenant itself: its id is the `tenantId` of everything it owns. Its region is chosen when it is made, and stays. */
export class Organization extends Row {
  declare slug: string
  declare name: string
  declare domain?: string | null
  declare domainVerifiedAt?: Date | null
  declare plan: Opt<PlanType>
  declare status: Opt<OrganizationStatus>
  declare dataRegion: Opt<DataRegion>
  declare defaultLocale: Opt<string>
  declare quotaResetAt?: Date | null
  declare settings: Opt<Record<string, unknown>>
  declare deletedAt?: Date | null
  declare version: Opt<number>

  isServed(): boolean {
    return this.status === 'ACTIVE' && !this.deletedAt
  }

  /** Whether its default locale is of a language: `fr` and `fr-CA` are French. */
  speaks(language: string): boolean {
    return this.defaultLocale.toLowerCase().split(/[-_]/)[0] === language
  }

  rename(name: string): void {
    this.requireServed()
    this.name = name
  }

  /** Nobody works in a suspended organization, and nothing of it is lost. */
  suspend(): void {
    this.requireServed()
    this.status = 'SUSPENDED'
  }

  resume(): void {
    this.requirePresent()
    this.status = 'ACTIVE'
  }

  /** Gone for everybody who works in it, until it is restored. What it owns stays. */
  softDelete(at: Date): void {
    this.requirePresent()
    this.deletedAt = at
  }

  /** Back as it was: one that was suspended is suspended again. */
  restore(): void {
    if (this.status === 'CLOSED') throw new OrganizationNotServedError('CLOSED')
    this.deletedAt = null
  }

  /** Closing is for good. Nobody reaches what it owns; retention goes on there, but the rest is an operator's to remove, as its law says. */
  close(at: Date): void {
    this.status = 'CLOSED'
    this.deletedAt ??= at
  }

  private requireServed(): void {
    this.requirePresent()
    if (this.status !== 'ACTIVE') throw new OrganizationNotServedError(this.status)
  }

  private requirePresent(): void {
    if (this.status === 'CLOSED') throw new OrganizationNotServedError('CLOSED')
    if (this.deletedAt) throw new OrganizationNotServedError('DELETED')
  }
}

/** A person in an identity scope sees the organizations that they are an active member of, so that they can choose one. */
const visible = `id = ${currentTenantSql} or (${inIdentityScopeSql} and id in (select daybook_tenants_of_user()))`
const own = `id = ${currentTenantSql}`

export const OrganizationSchema: EntitySchema<Organization> = globalEntity({
  class: Organization,
  properties: {
    slug: p.text().unique(),
    name: p.text(),
    domain: p.text().nullable(),
    domainVerifiedAt: moment().nullable(),
    plan: p.enum(planTypes).default('FREE'),
    status: p.enum(organizationStatuses).default('ACTIVE'),
    dataRegion: p.enum(dataRegions).default('EU'),
    defaultLocale: p.text().default('en'),
    quotaResetAt: moment().nullable(),
    settings: p
      .json()
      .onCreate(() => ({}))
      .defaultRaw(`'{}'`),
    deletedAt: moment().nullable(),
    version: p.integer().version(),
  },
  immutable: ['dataRegion'],
  audit: { log: 'id' },
  uniques: [{ properties: ['domain'], where: 'domain_verified_at is not null' }],
  checks: [{ name: 'organization_slug_shape', expression: `slug ~ '^[a-z0-9](-?[a-z0-9])*$' and length(slug) <= 63` }],
  policies: [
    { name: 'visible', command: 'select', using: visible },
    { name: 'own_insert', command: 'insert', check: own },
    { name: 'own_update', command: 'update', using: own, check: own },
  ],
})
