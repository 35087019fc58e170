import { randomBytes } from 'node:crypto'
import { userActor } from '../src/context/index.ts'
import {
  ensureBuiltinWork,
  isServedHere,
  Membership,
  Organization,
  PasswordCredential,
  registerOrganization,
  Role,
  User,
} from '../src/entities.ts'
import { hashPassword } from '../src/domain/identity/index.ts'
import { now } from '../src/kernel/clock.ts'
import { runDeterministically } from '../src/kernel/determinism.ts'
import { newId } from '../src/kernel/id.ts'
import type { Daybook } from '../src/orm/index.ts'
import { type DemoOrganization, demoOrganizations, type DemoPerson } from './demo-data.ts'
import { SeedReport } from './seed-report.ts'

export interface SeedDemoOptions {
  /** The password of everybody in the demo; generated when it is left out. */
  readonly password?: string
  readonly print: (line: string) => void
}

export interface SeededDemo {
  readonly report: SeedReport
  /** Present when somebody was created: the only time that it is known. */
  readonly password?: string
}

const seedTime = new Date('2026-01-05T08:00:00Z')

/** Two demo organizations with people in them. What is there already is kept as it is; ids and times are the same on every run. */
export async function seedDemo(daybook: Daybook, { password = generatedPassword(), print }: SeedDemoOptions): Promise<SeededDemo> {
  const report = new SeedReport(print)
  for (const demo of demoOrganizations) {
    const tenant = await course(demo.slug, () => seedOrganization(daybook, demo, password, report))
    if (!tenant) continue
    for (const person of demo.members) await course(person.email, () => seedMember(daybook, { tenant, demo, person, password, report }))
  }
  return report.counts.created > 0 ? { report, password } : { report }
}

/** Each thing has a course of its own, so that what was kept doesn't shift the ids of what is made. */
function course<T>(thing: string, work: () => Promise<T>): Promise<T> {
  return runDeterministically(`daybook:demo:${thing}`, seedTime, work)
}

/** The tenant's id, or undefined where somebody else has the place. */
async function seedOrganization(
  daybook: Daybook,
  demo: DemoOrganization,
  password: string,
  report: SeedReport,
): Promise<string | undefined> {
  const { owner, members: _, ...organization } = demo
  const ids = { organization: newId(), user: newId() }
  if (!isServedHere(demo, daybook.region)) {
    report.tell('skipped', `organization ${demo.slug}: its data is kept in ${demo.dataRegion}`)
    return undefined
  }
  if (await heldByAnother(daybook, owner.email, ids.user)) {
    report.tell('skipped', `organization ${demo.slug}: the address of its owner is taken`)
    return undefined
  }
  const existing = await daybook.scope({ tenant: ids.organization, actor: userActor(ids.user) }).findOne(Organization, ids.organization)
  if (!existing) {
    const registration = { email: owner.email, password, name: fullName(owner), locale: owner.locale, organization, ids }
    await registerOrganization(daybook, registration, ensureBuiltinWork)
  }
  const outcome = existing ? 'kept' : 'created'
  report.tell(outcome, `organization ${demo.slug} (${demo.plan}, ${demo.dataRegion})`)
  report.tell(outcome, `${owner.role.toLowerCase()} ${owner.email} of ${demo.slug}`)
  return ids.organization
}

interface MemberSeed {
  readonly tenant: string
  readonly demo: DemoOrganization
  readonly person: DemoPerson
  readonly password: string
  readonly report: SeedReport
}

/** A person comes with their own rows, so the scope's actor is that person. */
async function seedMember(daybook: Daybook, { tenant, demo, person, password, report }: MemberSeed): Promise<void> {
  const thing = `${person.role.toLowerCase()} ${person.email} of ${demo.slug}`
  const id = newId()
  if (await heldByAnother(daybook, person.email, id)) return report.tell('skipped', `${thing}: the address is taken`)
  const scope = { tenant, actor: userActor(id), reason: 'demo data' }
  if (await daybook.scope(scope).findOne(User, id)) return report.tell('kept', thing)
  const passwordHash = await hashPassword(password)
  await daybook.transact(scope, async em => {
    const role = await em.findOneOrFail(Role, { key: person.role })
    const { email, firstName, lastName, locale } = person
    const user = em.create(User, { id, email, firstName, lastName, locale, name: fullName(person), emailVerified: now() })
    em.create(PasswordCredential, { user, passwordHash, changedAt: now() })
    em.create(Membership, { user, role, joinedAt: now() })
  })
  report.tell('created', thing)
}

async function heldByAnother(daybook: Daybook, email: string, id: string): Promise<boolean> {
  const holder = await daybook.scope({ kind: 'identity', actor: userActor(id), claim: { email } }).findOne(User, { email })
  return holder !== null && holder.id !== id
}

const fullName = ({ firstName, lastName }: DemoPerson) => `${firstName} ${lastName}`

function generatedPassword(): string {
  return randomBytes(12).toString('base64url')
}
