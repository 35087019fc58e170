import type { EntityClass } from '@mikro-orm/core'
import { userActor } from '../../src/context/index.ts'
import {
  Automation,
  Campaign,
  EmailSequence,
  ensureBuiltinWork,
  IdealCustomerProfile,
  Membership,
  OrchestrationAgent,
  Organization,
  PipelineStage,
  Project,
  registerOrganization,
  Role,
  User,
} from '../../src/entities.ts'
import { now } from '../../src/kernel/clock.ts'
import { runDeterministically } from '../../src/kernel/determinism.ts'
import { newId } from '../../src/kernel/id.ts'
import type { Daybook, ScopedEntityManager, TenantRow } from '../../src/orm/index.ts'

/** What the rows of a tenant refer to. */
export interface VolumeTenant {
  readonly id: string
  readonly index: number
  readonly people: readonly string[]
  readonly stages: readonly { readonly id: string; readonly pipeline: string }[]
  readonly projects: readonly string[]
  readonly icp: string
  readonly campaign: string
  readonly agent: string
  readonly automation: string
}

const beginning = new Date('2024-01-01T08:00:00Z')
const colleagues = 4

/** An organization with its people and what its work needs, as services make it; found again where it is there already. */
export async function ensureTenant(daybook: Daybook, seed: string, index: number, password: string): Promise<VolumeTenant> {
  return runDeterministically(`daybook:volume:${seed}:${index}`, beginning, async () => {
    const ids = { user: newId(), organization: newId() }
    const name = `Volume ${index + 1}`
    const scope = { tenant: ids.organization, actor: userActor(ids.user), reason: 'volume data' }
    if (!(await daybook.scope(scope).findOne(Organization, ids.organization))) {
      const email = `owner-${seed}-${index + 1}@volume.example`
      const organization = { name, slug: `volume-${seed}-${index + 1}` }
      await registerOrganization(daybook, { email, password, name: `Owner of ${name}`, organization, ids }, ensureBuiltinWork)
    }
    const people = [ids.user]
    for (let n = 1; n <= colleagues; n++) people.push(await ensureColleague(daybook, ids.organization, `${seed}-${index + 1}-${n}`))
    return daybook.transact(scope, async em => ({ id: ids.organization, index, people, ...(await ensureSetUp(em)) }))
  })
}

/** In their own name, since nobody else may write a person's rows. They have no password: nobody signs in as them. */
function ensureColleague(daybook: Daybook, tenant: string, name: string): Promise<string> {
  return runDeterministically(`daybook:volume:colleague:${name}`, beginning, async () => {
    const id = newId()
    const scope = { tenant, actor: userActor(id), reason: 'volume data' }
    if (await daybook.scope(scope).findOne(User, id)) return id
    await daybook.transact(scope, async em => {
      const user = em.create(User, { id, email: `colleague-${name}@volume.example`, name: `Colleague ${name}` })
      em.create(Membership, { user, role: await em.findOneOrFail(Role, { key: 'MEMBER' }), joinedAt: now() })
    })
    return id
  })
}

async function ensureSetUp(em: ScopedEntityManager): Promise<Omit<VolumeTenant, 'id' | 'index' | 'people'>> {
  if ((await em.count(Project)) === 0) {
    for (const slug of ['web', 'api', 'mobile']) em.create(Project, { name: `Project ${slug}`, slug })
    em.create(IdealCustomerProfile, { name: 'Whom we look for', weights: { completeness: 1 } })
    em.create(Campaign, { name: 'All of them', sequence: em.create(EmailSequence, { name: 'One after the other' }) })
    em.create(OrchestrationAgent, { name: 'Dispatcher', instructions: 'Say who should take it.', tools: ['task.assign'] })
    em.create(Automation, { name: 'Tell the others', definition: { kind: 'action', action: 'tell' }, isActive: false })
    await em.flush()
  }
  const stages = await em.find(PipelineStage, { isTerminal: false }, { orderBy: { id: 'asc' } })
  return {
    stages: stages.map(({ id, pipeline }) => ({ id, pipeline: pipeline.id })),
    projects: (await em.find(Project, {}, { orderBy: { id: 'asc' } })).map(({ id }) => id),
    icp: await firstOf(em, IdealCustomerProfile),
    campaign: await firstOf(em, Campaign),
    agent: await firstOf(em, OrchestrationAgent),
    automation: await firstOf(em, Automation),
  }
}

async function firstOf(em: ScopedEntityManager, entity: EntityClass<TenantRow>): Promise<string> {
  const [first] = await em.find(entity, {}, { limit: 1, orderBy: { id: 'asc' } })
  return first!.id
}
