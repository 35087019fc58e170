import type { EntityData } from '@mikro-orm/core'
import { afterAll, beforeAll, beforeEach, expect } from 'vitest'
import { AuditEvent } from '../../src/audit/index.ts'
import { userActor } from '../../src/context/index.ts'
import { newId } from '../../src/kernel/id.ts'
import type { Daybook, ScopedEntityManager } from '../../src/orm/index.ts'
import { replayProblems } from '../../src/readers/index.ts'
import { openTestDaybook } from '../../src/testing/index.ts'
import { entities, migrations, Parcel } from './shaped-model.ts'

/** Parcels, each test's in a tenant of its own, and what the log says of them. */
export function useParcels() {
  const open = {} as { daybook: Daybook; tenant: string }
  const actor = userActor(newId())
  beforeAll(async () => {
    open.daybook = await openTestDaybook({ entities, migrations })
  })
  afterAll(() => open.daybook.close())
  beforeEach(() => {
    open.tenant = newId()
  })
  const scope = () => open.daybook.scope({ tenant: open.tenant, actor })
  const transact = <T>(work: (em: ScopedEntityManager) => Promise<T>) => open.daybook.transact({ tenant: open.tenant, actor }, work)

  async function parcel(data: EntityData<Parcel> = {}) {
    const em = scope()
    const made = em.create(Parcel, { label: 'a parcel', ...data } as never)
    await em.flush()
    return { em, made }
  }

  const lastEvent = async (type: string) => scope().findOneOrFail(AuditEvent, { type, tenantId: open.tenant }, { orderBy: { seq: 'desc' } })
  const agree = async () => expect(await transact(em => replayProblems(em))).toEqual([])

  return { open, scope, transact, parcel, lastEvent, agree }
}
