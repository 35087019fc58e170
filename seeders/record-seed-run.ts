import { systemActor } from '../src/context/index.ts'
import { SeedRun } from '../src/entities.ts'
import { canonicalJson } from '../src/kernel/canonical-json.ts'
import { digest } from '../src/kernel/secret.ts'
import type { Daybook } from '../src/orm/index.ts'

interface SeedRunInput {
  readonly seeder: string
  /** What it writes from: the same data has the same checksum. */
  readonly data: unknown
  readonly mode: string
  readonly rows: number
}

/** That a seeder ran. A run that changed nothing is recorded too. */
export async function recordSeedRun(daybook: Daybook, { data, ...told }: SeedRunInput): Promise<void> {
  const actor = systemActor(`seeder:${told.seeder}`)
  await daybook.transact({ kind: 'identity', actor }, async em => {
    em.create(SeedRun, { ...told, checksum: digest(canonicalJson(data)), ranAt: new Date() })
  })
}
