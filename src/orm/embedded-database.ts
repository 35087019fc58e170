import { mkdir, open, readFile, rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { PGlite } from '@electric-sql/pglite'
import { createPostgreSqlTypeParsers } from '@mikro-orm/sql'
import array from 'postgres-array'
import { EmbeddedDatabaseInUseError } from './orm.errors.ts'

export interface EmbeddedDatabase {
  readonly pglite: PGlite
  readonly close: () => Promise<void>
}

export interface EmbeddedOptions {
  /** In memory without one. */
  readonly directory?: string
  /** An image that PGlite's `dumpDataDir` has made, to start from. */
  readonly image?: Blob
}

/** PGlite's own, but for the pages that it keeps: 128 MB of them beside those that the file system keeps is a server's measure. */
const startParams = [...PGlite.defaultStartParams, '-c', 'shared_buffers=32MB']

/** Opens PGlite in a folder or in memory. The folder is locked: two processes in it would destroy each other's pages. */
export async function openEmbeddedDatabase({ directory, image }: EmbeddedOptions = {}): Promise<EmbeddedDatabase> {
  const parsers = createPostgreSqlTypeParsers(text => array.parse(text))
  if (!directory) {
    const pglite = await PGlite.create({ parsers, startParams, ...(image && { loadDataDir: image }) })
    return { pglite, close: () => pglite.close() }
  }
  const unlock = await lockDirectory(resolve(directory))
  try {
    const pglite = await PGlite.create({ dataDir: join(resolve(directory), 'database'), parsers, startParams })
    return { pglite, close: () => pglite.close().finally(unlock) }
  } catch (error) {
    await unlock()
    throw error
  }
}

async function lockDirectory(directory: string): Promise<() => Promise<void>> {
  await mkdir(directory, { recursive: true })
  const file = join(directory, 'lock')
  const unlock = () => rm(file, { force: true })
  try {
    const handle = await open(file, 'wx')
    await handle.writeFile(String(process.pid))
    await handle.close()
    return unlock
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
  const pid = Number(await readFile(file, 'utf8').catch(() => ''))
  if (pid && isRunning(pid)) throw new EmbeddedDatabaseInUseError(directory, pid)
  // Its owner was killed before it could unlock; PGlite recovers from its write-ahead log.
  await unlock()
  return lockDirectory(directory)
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
