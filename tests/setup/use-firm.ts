import { afterAll, beforeAll, beforeEach } from 'vitest'
import { systemActor } from '../../src/context/index.ts'
import { Organization } from '../../src/entities.ts'
import { newId } from '../../src/kernel/id.ts'
import type { Daybook, ScopedEntityManager } from '../../src/orm/index.ts'
import { openTestDaybook } from '../../src/testing/index.ts'

interface Firm {
  daybook: Daybook
  tenant: string
}

/** One database for the tests of a file, and for each of them an organization in which a clerk works. */
export function useFirm() {
  const firm = {} as Firm
  const work = <T>(does: (em: ScopedEntityManager) => Promise<T>) =>
    firm.daybook.transact({ tenant: firm.tenant, actor: systemActor('clerk') }, does)
  beforeAll(async () => {
    firm.daybook = await openTestDaybook({ poolMax: 20 })
  })
  afterAll(() => firm.daybook.close())
  beforeEach(async () => {
    firm.tenant = newId()
    await work(async em => void em.create(Organization, { id: firm.tenant, name: 'Firm', slug: `firm-${firm.tenant}` }))
  })
  return { firm, work }
}
