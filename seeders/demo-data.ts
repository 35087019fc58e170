import type { DataRegion, Locale, PlanType } from '../src/entities.ts'

export interface DemoPerson {
  readonly email: string
  readonly firstName: string
  readonly lastName: string
  readonly role: string
  readonly locale: Locale
}

export interface DemoOrganization {
  readonly slug: string
  readonly name: string
  readonly plan: PlanType
  readonly dataRegion: DataRegion
  readonly owner: DemoPerson
  readonly members: readonly DemoPerson[]
}

/** Two tenants that can't see each other. */
export const demoOrganizations: readonly DemoOrganization[] = [
  {
    slug: 'demo-org',
    name: 'Demo Org',
    plan: 'PROFESSIONAL',
    dataRegion: 'EU',
    owner: { email: 'demo@example.com', firstName: 'Dana', lastName: 'Moreau', role: 'OWNER', locale: 'fr' },
    members: [
      { email: 'alex@example.com', firstName: 'Alex', lastName: 'Okafor', role: 'MEMBER', locale: 'en' },
      { email: 'vera@example.com', firstName: 'Vera', lastName: 'Lindqvist', role: 'VIEWER', locale: 'en' },
    ],
  },
  {
    slug: 'enterprise-corp',
    name: 'Enterprise Corp',
    plan: 'ENTERPRISE',
    dataRegion: 'US',
    owner: { email: 'admin@example.com', firstName: 'Ada', lastName: 'Nguyen', role: 'OWNER', locale: 'en' },
    members: [{ email: 'pm@example.com', firstName: 'Pablo', lastName: 'Marín', role: 'PM', locale: 'en' }],
  },
]
