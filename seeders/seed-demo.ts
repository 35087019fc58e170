import { userActor } from '../src/context/index.ts'
import { ensureBuiltinWork, Membership, Organization, PasswordCredential, registerOrganization, Role, User } from '../src/entities.ts'
import { isServedHere } from '../src/domain/organizations/internal.ts'
import { hashPassword } from '../src/domain/identity/index.ts'
import { now } from '../src/kernel/clock.ts'
import { newId } from '../src/kernel/id.ts'
import type { Daybook } from '../src/orm/index.ts'
import { demoAreas } from './demo/areas.ts'
import { type DemoArea, DemoOrganizationWork } from './demo/demo-area.ts'
import { course } from './demo/demo-unit.ts'
import { type DemoOrganization, demoOrganizations, type DemoPerson } from './demo-data.ts'
import { type DemoPasswords, onePassword } from './demo-passwords.ts'
import { recordSeedRun } from './record-seed-run.ts'
import { SeedReport } from './seed-report.ts'

export interface SeedDemoOptions {
  /** Everybody's in the demo; one is generated when it is left out. */
  readonly passwords?: DemoPasswords
  /** What the organizations get besides their people; something of everything unless said otherwise. */
  readonly areas?: readonly DemoArea[]
  readonly print: (line: string) => void
}

export interface SeededDemo {
  readonly report: SeedReport
  /** What was made now and is shown this once, by what it opens. */
  readonly secrets: ReadonlyMap<string, string>
}

interface Seeding {
  readonly daybook: Daybook
  readonly passwords: DemoPasswords
  readonly report: SeedReport
}

/** Two demo organizations with people in them, and something of everything. What is there already is kept as it is; ids and times are the same on every run. */
export async function seedDemo(
  daybook: Daybook,
  { passwords = onePassword(), areas = demoAreas, print }: SeedDemoOptions,
): Promise<SeededDemo> {
  const report = new SeedReport(print)
  const seeding = { daybook, passwords, report }
  const secrets = new Map<string, string>()
  for (const demo of demoOrganizations) {
    const ids = await course(demo.slug, async () => seedOrganization(seeding, demo))
    if (!ids) continue
    for (const person of demo.members) await course(person.email, () => seedMember(seeding, ids.tenant, demo, person))
    if (report.counts.created > 0 && !passwords.areKnown) secrets.set('Everybody’s password', passwords.of(demo.owner.email))
    const work = new DemoOrganizationWork(daybook, { ...ids, slug: demo.slug }, report)
    for (const area of areas) await area.seed(work)
    for (const [what, secret] of work.secrets) secrets.set(what, secret)
  }
  const data = { organizations: demoOrganizations, areas: areas.map(({ name, data: told }) => ({ name, told })) }
  const mode = passwords.areInsecure ? 'demo, insecure passwords' : 'demo'
  await recordSeedRun(daybook, { seeder: 'demo', data, mode, rows: report.counts.created })
  return { report, secrets }
}

/** The organization's ids, or undefined where somebody else has the place. */
async function seedOrganization(
  { daybook, passwords, report }: Seeding,
  demo: DemoOrganization,
): Promise<{ readonly tenant: string; readonly owner: string } | undefined> {
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
    const { email, locale } = owner
    const password = passwords.areInsecure ? onePassword().of(email) : passwords.of(email)
    const registration = { email, password, name: fullName(owner), locale, organization, ids }
    await registerOrganization(daybook, registration, ensureBuiltinWork)
    if (passwords.areInsecure) await replacePassword(daybook, ids.user, passwords.of(email))
  }
  const outcome = existing ? 'kept' : 'created'
  report.tell(outcome, `organization ${demo.slug} (${demo.plan}, ${demo.dataRegion})`)
  report.tell(outcome, `${owner.role.toLowerCase()} ${owner.email} of ${demo.slug}`)
  return { tenant: ids.organization, owner: ids.user }
}

/** Registering refuses a password that is too short, and should. */
async function replacePassword(daybook: Daybook, user: string, password: string): Promise<void> {
  const passwordHash = await hashPassword(password)
  await daybook.transact({ kind: 'identity', actor: userActor(user), reason: 'demo data' }, async em => {
    Object.assign(await em.findOneOrFail(PasswordCredential, { user }), { passwordHash })
  })
}

/** A person comes with their own rows, so the scope's actor is that person. */
async function seedMember(
  { daybook, passwords, report }: Seeding,
  tenant: string,
  demo: DemoOrganization,
  person: DemoPerson,
): Promise<void> {
  const thing = `${person.role.toLowerCase()} ${person.email} of ${demo.slug}`
  const id = newId()
  if (await heldByAnother(daybook, person.email, id)) return report.tell('skipped', `${thing}: the address is taken`)
  const scope = { tenant, actor: userActor(id), reason: 'demo data' }
  if (await daybook.scope(scope).findOne(User, id)) return report.tell('kept', thing)
  const passwordHash = await hashPassword(passwords.of(person.email))
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
