import { type OpenOptions, openDaybook } from '../open-daybook.ts'
import type { Daybook } from '../orm/index.ts'

/** A database of its own for one test file, with the whole model in it. */
export function openTestDaybook(options: Pick<OpenOptions, 'entities' | 'migrations'> = {}): Promise<Daybook> {
  return openDaybook({ ...options, inMemory: true, logQueries: false, environment: 'test' })
}
