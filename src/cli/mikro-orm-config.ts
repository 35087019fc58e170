import type { Options } from '@mikro-orm/core'
import { DatabaseSeeder } from '../../seeders/DatabaseSeeder.ts'
import { readDatabaseConfig } from '../config.ts'
import { openKeyring } from '../master-keys.ts'
import { modelWith } from '../model.ts'
import { ownerOptions } from '../open-daybook.ts'

/**
 * The configuration of the `mikro-orm` command, for the database that the environment names, as its owner. An application that brings
 * entities of its own passes them here and to `openDaybook`.
 */
export function mikroOrmConfig(more: Parameters<typeof modelWith>[0] = {}): Partial<Options> {
  const config = readDatabaseConfig()
  return ownerOptions({ ...modelWith({ keyring: () => openKeyring(config), ...more }), seeders: [DatabaseSeeder] }, config)
}
