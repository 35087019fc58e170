import { UniqueConstraintViolationException } from '@mikro-orm/core'
import { userActor } from '../../context/index.ts'
import { now } from '../../kernel/clock.ts'
import { newId } from '../../kernel/id.ts'
import type { Daybook, ScopedEntityManager } from '../../orm/index.ts'
import { assertPasswordAcceptable, hashPassword, type Locale, normalizeEmail, PasswordCredential, User } from '../identity/index.ts'
import { assertServedHere, type DataRegion, dataRegions, Organization, type PlanType, SlugTakenError } from '../organizations/index.ts'
import { assertSlug, slugBeside, slugOf } from '../organizations/internal.ts'
import { EmailTakenError } from './access.errors.ts'
import { ensureBuiltinRoles } from './ensure-builtin-roles.ts'
import { Membership } from './membership.entity.ts'

export interface Registration {
  readonly email: string
  readonly password: string
  readonly name?: string
  readonly locale?: Locale
  readonly organization: {
    readonly name: string
    /** Made from the name when it is left out. */
    readonly slug?: string
    readonly plan?: PlanType
    /** What it speaks where nobody says otherwise: its mails, and the names of what it begins with. */
    readonly defaultLocale?: Locale
    /** For good. Where this process serves, or the EU, when it is left out. */
    readonly dataRegion?: DataRegion
  }
  /** For seeding, where ids are known beforehand. */
  readonly ids?: { readonly user: string; readonly organization: string }
}

export interface Registered {
  readonly user: User
  readonly organization: Organization
}

/**
 * A person and their organization, with its built-in roles and themself as its owner: all of it in one transaction or none of it. The
 * scope is the new tenant's, and its actor is the new person, because policies let people in with their own rows alone. `furnish` puts into
 * the same transaction what a new organization shall have from the beginning.
 */
export async function registerOrganization(
  daybook: Daybook,
  registration: Registration,
  furnish?: (em: ScopedEntityManager) => Promise<void>,
): Promise<Registered> {
  const email = normalizeEmail(registration.email)
  assertPasswordAcceptable(registration.password)
  const organization = {
    defaultLocale: 'en' as const,
    ...registration.organization,
    dataRegion: regionFor(daybook, registration.organization),
  }
  assertServedHere(organization, daybook.region)
  const { slug: wanted, name } = organization
  const slug = wanted === undefined ? slugOf(name) : assertSlug(wanted)
  const passwordHash = await hashPassword(registration.password)
  const ids = registration.ids ?? { user: newId(), organization: newId() }
  const attempt = (chosen: string) =>
    daybook.transact({ tenant: ids.organization, actor: userActor(ids.user), reason: 'registration' }, async em => {
      const registered = await create(em, { ...registration, organization, email }, { ids, slug: chosen, passwordHash })
      await furnish?.(em)
      return registered
    })
  try {
    return await attempt(slug).catch((error: unknown) => {
      // A slug that we made ourselves may be taken; then one beside it will do.
      if (wanted === undefined && violates(error, 'organization_slug_unique')) return attempt(slugBeside(slug))
      throw error
    })
  } catch (error) {
    if (violates(error, 'app_user_email_unique')) throw new EmailTakenError({ cause: error })
    if (violates(error, 'organization_slug_unique')) throw new SlugTakenError(slug, { cause: error })
    throw error
  }
}

function regionFor({ region }: Daybook, { dataRegion }: Registration['organization']): DataRegion {
  return dataRegion ?? dataRegions.find(each => each === region) ?? 'EU'
}

interface Prepared {
  readonly ids: NonNullable<Registration['ids']>
  readonly slug: string
  readonly passwordHash: string
}

async function create(em: ScopedEntityManager, registration: Registration, { ids, slug, passwordHash }: Prepared): Promise<Registered> {
  const { email, name, locale } = registration
  const user = em.create(User, { id: ids.user, email, name: name ?? null, ...(locale && { locale }) })
  const organization = em.create(Organization, { ...registration.organization, id: ids.organization, slug })
  em.create(PasswordCredential, { user, passwordHash, changedAt: now() })
  const roles = await ensureBuiltinRoles(em)
  em.create(Membership, { user, role: roles.get('OWNER')!, joinedAt: now() })
  await em.flush()
  return { user, organization }
}

function violates(error: unknown, constraint: string): boolean {
  return error instanceof UniqueConstraintViolationException && (error as { constraint?: string }).constraint === constraint
}
