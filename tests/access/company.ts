import { userActor } from '../../src/context/index.ts'
import { acceptInvitation, inviteMember, Membership, type Organization, registerOrganization, Role, type User } from '../../src/entities.ts'
import { newId } from '../../src/kernel/id.ts'
import type { Daybook, ScopedEntityManager } from '../../src/orm/index.ts'

export const password = 'a password for the tests'
export const newAddress = () => `${newId()}@example.com`

export interface Company {
  readonly owner: User
  readonly organization: Organization
  /** Runs in one transaction, as the owner unless somebody else is named. */
  readonly as: <T>(actor: User | undefined, work: (em: ScopedEntityManager) => Promise<T>) => Promise<T>
}

export async function foundCompany(daybook: Daybook): Promise<Company> {
  const { user: owner, organization } = await registerOrganization(daybook, {
    email: newAddress(),
    password,
    organization: { name: 'Compañía Ünïted' },
  })
  const as: Company['as'] = (actor, work) => daybook.transact({ tenant: organization, actor: userActor(actor ?? owner) }, work)
  return { owner, organization, as }
}

/** A new person, who was invited with a role and came. */
export async function hireInto(daybook: Daybook, { as }: Company, key = 'MEMBER'): Promise<User> {
  const { token } = await as(undefined, async em => inviteMember(em, { email: newAddress(), role: await roleOf(em, key) }))
  return (await acceptInvitation(daybook, { token, password })).user
}

export const roleOf = (em: ScopedEntityManager, key: string) => em.findOneOrFail(Role, { key })

export const membershipOf = (em: ScopedEntityManager, user: User) => em.findOneOrFail(Membership, { user: user.id })
