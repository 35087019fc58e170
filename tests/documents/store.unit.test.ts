import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type DocumentStore, folderStore, newStorageKey } from '../../src/entities.ts'
import { newId } from '../../src/kernel/id.ts'

let outside: string
let directory: string
let store: DocumentStore

beforeEach(async () => {
  outside = await mkdtemp(join(tmpdir(), 'daybook-store-'))
  directory = join(outside, 'files')
  store = folderStore(directory)
})
afterEach(() => rm(outside, { recursive: true }))

async function* bytes(...parts: string[]) {
  for (const part of parts) yield Buffer.from(part)
}
const textOf = async (key: string) => {
  let text = ''
  for await (const part of await store.get(key)) text += Buffer.from(part).toString()
  return text
}
const files = async () => (await readdir(outside, { recursive: true, withFileTypes: true })).filter(entry => entry.isFile())

describe('a folder', () => {
  test('gives back what was put into it, until it is deleted', async () => {
    const key = newStorageKey(newId())
    await store.put(key, bytes('first, ', 'second'))
    expect(await textOf(key)).toBe('first, second')
    expect(await readFile(join(directory, key), 'utf8')).toBe('first, second')
    await store.delete(key)
    await store.delete(key)
    await expect(store.get(key)).rejects.toMatchObject({ code: 'documents.file_missing' })
  })

  test('keeps nothing of what breaks off', async () => {
    const key = newStorageKey(newId())
    const breaking = async function* () {
      yield Buffer.from('half')
      throw new Error('The line is dead.')
    }
    await expect(store.put(key, breaking())).rejects.toThrow('The line is dead.')
    expect(await files()).toEqual([])
  })

  test('is not written by two at one place at once', async () => {
    const key = newStorageKey(newId())
    const slow = async function* () {
      yield Buffer.from('a')
      await new Promise(resolve => setTimeout(resolve, 50))
      yield Buffer.from('b')
    }
    const results = await Promise.allSettled([store.put(key, slow()), store.put(key, slow())])
    expect(results.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected'])
    expect(await textOf(key)).toBe('ab')
  })

  const [tenant, file] = [newId(), newId()]
  test.each([
    '../secret',
    `${tenant}/../../secret`,
    `${tenant}/..`,
    `${tenant}/../${file}`,
    `../${tenant}/${file}`,
    `/${tenant}/${file}`,
    `${tenant}/${file}/..`,
    `${tenant}\\..\\secret`,
    `${tenant}/${file}\n`,
    `${tenant}/${file}\0.pdf`,
    `${tenant}%2f${file}`,
    `${tenant.toUpperCase()}/${file}.part`,
    `${tenant}//${file}`,
    tenant,
    '',
    '/etc/passwd',
    'C:\\secret',
  ])('has no place for %j', async key => {
    await writeFile(join(outside, 'secret'), 'not yours')
    for (const attempt of [() => store.put(key, bytes('mine')), () => store.get(key), () => store.delete(key)]) {
      await expect(attempt()).rejects.toMatchObject({ code: 'documents.storage_key' })
    }
    expect(await files()).toHaveLength(1)
    expect(await readFile(join(outside, 'secret'), 'utf8')).toBe('not yours')
  })
})
