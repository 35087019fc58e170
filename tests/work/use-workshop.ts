import { afterAll, beforeAll, beforeEach } from 'vitest'
import { type Actor, systemActor } from '../../src/context/index.ts'
import { registerOrganization } from '../../src/entities.ts'
import { newId } from '../../src/kernel/id.ts'
import type { Daybook, ScopedEntityManager } from '../../src/orm/index.ts'
import { openTestDaybook } from '../../src/testing/index.ts'

/** An organization with its owner, another one for each test. */
export function useWorkshop() {
  let daybook: Daybook
  let tenant: string
  let owner: string

  beforeAll(async () => {
    daybook = await openTestDaybook()
  })
  afterAll(() => daybook.close())
  beforeEach(async () => {
    const { organization, user } = await registerOrganization(daybook, {
      email: `${newId()}@example.com`,
      password: 'a long enough one',
      organization: { name: 'Workshop' },
    })
    tenant = organization.id
    owner = user.id
  })

  return {
    owner: () => owner,
    scopeOf: (actor: Actor) => daybook.scope({ tenant, actor }),
    work: <T>(does: (em: ScopedEntityManager) => Promise<T>, actor = systemActor('test')) => daybook.transact({ tenant, actor }, does),
  }
}
