import { afterAll, beforeAll, beforeEach } from 'vitest'
import { newId } from '../../src/kernel/id.ts'
import type { Daybook } from '../../src/orm/index.ts'
import { openTestDaybook } from '../../src/testing/index.ts'
import { entities, migrations } from './model.ts'

interface OpenModel {
  daybook: Daybook
  tenant: string
}

/** Opens the model for the tests of one file; each test has a tenant of its own, and may go to another. */
export function useModel(): OpenModel {
  const model = {} as OpenModel
  beforeAll(async () => {
    model.daybook = await openTestDaybook({ entities, migrations })
  })
  afterAll(() => model.daybook.close())
  beforeEach(() => {
    model.tenant = newId()
  })
  return model
}
