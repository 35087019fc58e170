import { now as currentTime } from '../../kernel/clock.ts'
import { digest } from '../../kernel/secret.ts'
import type { Question, ScopedEntityManager, StoredRow } from '../../orm/index.ts'
import { assertServedHere, type Organization, OrganizationNotServedError } from '../organizations/index.ts'
import { type ApiKey, isUsableAt } from './api-key.entity.ts'
import { apiKeyAllows } from './api-key-scopes.ts'
import { grantsColumns, grantsIn, type GrantsRow } from './grants-of.ts'
import { verdictOf } from './permission-decision.ts'

/** Who wants to work in a tenant: a person, or a program by its key. */
export type Entrant = { readonly user: string } | { readonly key: string }

/** What an entrant may do there. */
export interface Admission {
  readonly organization: Pick<Organization, 'id' | 'name' | 'status' | 'dataRegion' | 'defaultLocale'>
  readonly user?: { readonly id: string }
  readonly apiKey?: Pick<ApiKey, 'id' | 'scopes'>
  /** What was found, to the letter. */
  readonly found: string
  /** Of a program's key and its organization, by which it is known that neither has changed. */
  readonly versions?: readonly string[]
  /** Of the permissions that were asked about; a program's are all known. */
  readonly verdictOn: (permission: string) => Verdict | undefined
}

export interface Verdict {
  readonly allowed: boolean
  readonly because: string
}

/** All that decides about whoever wants to come in, as one question in the tenant's scope: of a person's permissions, about these. */
export function admissionQuestion(entrant: Entrant, tenant: string, permissions: readonly string[]): Question {
  if ('key' in entrant) {
    return { sql: `select daybook_admit_key(?, ?)::text as admitted`, params: [tenant, digest(entrant.key)] }
  }
  const grants = grantsColumns(entrant.user, permissions)
  return {
    sql: `select json_build_object('organization', json_build_object('id', o.id, 'name', o.name, 'status', o.status,
        'dataRegion', o.data_region, 'defaultLocale', o.default_locale))::text as admitted, ${grants.sql}
      from organization o where o.id = ? and o.deleted_at is null`,
    params: [...grants.params, tenant],
  }
}

/**
 * Nothing for whoever isn't let in, so that they learn nothing: a person who is no active member, a key that opens nothing any more. Whoever
 * is may hear that the organization isn't served, or not here.
 */
export function admissionIn(
  [row]: readonly StoredRow[],
  entrant: Entrant,
  permissions: readonly string[],
  region: string | undefined,
  now = currentTime(),
): Admission | undefined {
  if (typeof row?.admitted !== 'string') return undefined
  const found = row.admitted
  const { organization, key, versions } = JSON.parse(found) as AdmittedRow
  const isServed = organization.status === 'ACTIVE'
  if ('key' in entrant) {
    if (!key || !isServed || !isUsableAt({ revokedAt: momentIn(key.revokedAt), expiresAt: momentIn(key.expiresAt) }, now)) return undefined
    assertServedHere(organization, region)
    const because = 'the API key doesn’t have it'
    return {
      organization,
      apiKey: key,
      versions: versions!,
      found,
      verdictOn: permission => ({ allowed: apiKeyAllows(key, permission), because }),
    }
  }
  const grants = grantsIn(row as GrantsRow, entrant.user)
  if (grants.membership?.status !== 'ACTIVE') return undefined
  assertServedHere(organization, region)
  if (!isServed) throw new OrganizationNotServedError(organization.status)
  return {
    organization,
    user: { id: entrant.user },
    found,
    verdictOn: permission => (permissions.includes(permission) ? verdictOf(grants, permission) : undefined),
  }
}

/** The same for whoever is in the tenant's scope already. */
export async function admit(
  em: ScopedEntityManager,
  entrant: Entrant,
  tenant: string,
  permissions: readonly string[],
  region: string | undefined,
  now = currentTime(),
): Promise<Admission | undefined> {
  const { sql, params } = admissionQuestion(entrant, tenant, permissions)
  return admissionIn(await em.execute<StoredRow[]>(sql, [...params]), entrant, permissions, region, now)
}

/** Asks whether what was found about a program not long ago still is what would be found, and fails if it isn't. */
export function stillAdmitted({ organization, apiKey, versions }: Admission): Question {
  return { sql: `select daybook_require_admission(?, ?, ?, ?)`, params: [organization.id, apiKey!.id, ...versions!] }
}

export function isNoLongerAdmitted(error: unknown): boolean {
  return (error as { readonly code?: string }).code === 'DB004'
}

interface AdmittedRow {
  readonly organization: Admission['organization']
  /** A program's. */
  readonly key?: Pick<ApiKey, 'id' | 'scopes'> & { readonly revokedAt: string | null; readonly expiresAt: string | null }
  readonly versions?: readonly string[]
}

const momentIn = (stored: string | null) => (stored === null ? null : new Date(stored))
