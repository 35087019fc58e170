import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type DatabaseConfig, ConfigurationError } from './config.ts'
import { Keyring, newKey } from './kernel/keyring.ts'

/** The keys of the configuration. An embedded database keeps one of its own beside it; a server's must be given. */
export async function openKeyring(config: DatabaseConfig & { readonly inMemory?: boolean }): Promise<Keyring> {
  if (config.masterKeys) return new Keyring(config.masterKeys.map(key => Buffer.from(key, 'base64')))
  if (config.databaseUrl) {
    throw new ConfigurationError([
      'DAYBOOK_MASTER_KEY is missing: what the log tells of people is sealed with it. Make one with `openssl rand -base64 32` and keep it apart from the database’s backups.',
    ])
  }
  return new Keyring([config.inMemory ? newKey() : await keyBeside(config.dataDirectory)])
}

async function keyBeside(directory: string): Promise<Buffer> {
  const file = join(directory, 'master.key')
  await mkdir(directory, { recursive: true })
  // Only the first process makes it; whoever comes second reads it.
  await writeFile(file, newKey().toString('base64'), { flag: 'wx', mode: 0o600 }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error
  })
  return Buffer.from(await readFile(file, 'utf8'), 'base64')
}
