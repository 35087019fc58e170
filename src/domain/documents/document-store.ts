import { mkdir, open, rename, rm } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { newId } from '../../kernel/id.ts'
import { FileMissingError, StorageKeyError } from './documents.errors.ts'

export type Bytes = AsyncIterable<Uint8Array>

/** Where files are. It knows nothing of documents: a folder, or a bucket elsewhere. */
export interface DocumentStore {
  /** Wholly or not at all: where `content` fails, nothing is under the key. */
  put(key: string, content: Bytes): Promise<void>
  /** Refuses with `FileMissingError` where there is none. */
  get(key: string): Promise<Bytes>
  /** Also of what isn't there, or only half there. */
  delete(key: string): Promise<void>
}

/**
 * Where a tenant's next file goes. Nobody else names a place, and no two documents share one, so what a document leaves behind may be
 * removed. The key is known before the content is, so that a file is never written that nothing knows of.
 */
export function newStorageKey(tenant: string): string {
  return `${tenant}/${newId()}`
}

const keyShape = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** Files in a folder, each organization's in one of its own. */
export function folderStore(directory: string): DocumentStore {
  const pathOf = (key: string) => {
    // Ours have two parts of hexadecimal digits, so there is no way up and out in one.
    if (!keyShape.test(key)) throw new StorageKeyError()
    return join(resolve(directory), ...key.split('/'))
  }
  return {
    put: async (key, content) => write(pathOf(key), content),
    get: async key => read(pathOf(key)),
    async delete(key) {
      const path = pathOf(key)
      await rm(path, { force: true })
      await rm(unfinished(path), { force: true })
    },
  }
}

const unfinished = (path: string) => `${path}.part`

async function read(path: string): Promise<Bytes> {
  try {
    return (await open(path)).createReadStream()
  } catch (error) {
    throw (error as NodeJS.ErrnoException).code === 'ENOENT' ? new FileMissingError({ cause: error }) : error
  }
}

async function write(path: string, content: Bytes): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  const file = await open(unfinished(path), 'wx')
  try {
    for await (const part of content) await file.writeFile(part)
    await file.sync()
    await file.close()
    await rename(unfinished(path), path)
  } catch (error) {
    await file.close()
    await rm(unfinished(path), { force: true })
    throw error
  }
}
