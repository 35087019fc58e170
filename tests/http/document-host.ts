import type { LightMyRequestResponse } from 'fastify'
import type { Dirent } from 'node:fs'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { expect } from 'vitest'
import { systemActor } from '../../src/context/index.ts'
import { Document, type DocumentStore, folderStore, removeStrayFiles, StrayFile } from '../../src/entities.ts'
import type { HostOptions } from '../../src/http/index.ts'
import { type Caller, openTestHost, type SignedUp, signUp, type TestHost } from './test-host.ts'

export const base = '/organizations/current/documents'
export const maxBytes = 1_000_000

/** A host whose files are in a directory of their own, with two people of two organizations. */
export interface DocumentHost extends AsyncDisposable {
  readonly on: TestHost
  readonly ann: SignedUp
  readonly zoe: SignedUp
  readonly store: DocumentStore
  readonly directory: string
}

export async function openDocumentHost(options: HostOptions = {}): Promise<DocumentHost> {
  const directory = await mkdtemp(join(tmpdir(), 'daybook-files-'))
  const store = folderStore(directory)
  const on = await openTestHost({ ...options, files: { store, maxBytes, ...options.files } })
  const close = async () => {
    await on[Symbol.asyncDispose]()
    await rm(directory, { recursive: true })
  }
  const ann = await signUp(on, 'ann@acme.example', 'Acme')
  const zoe = await signUp(on, 'zoe@zenith.example', 'Zenith')
  return { on, ann, zoe, store, directory, [Symbol.asyncDispose]: close }
}

export const pdf = (text: string) => Buffer.from(`%PDF-1.7\n${text}`)

export function upload(
  caller: Caller,
  payload: Buffer | Readable,
  type = 'application/pdf',
  title = 'Invoice',
): Promise<LightMyRequestResponse> {
  const headers = { 'content-type': type, 'sec-fetch-site': 'same-origin' }
  return caller.call('POST', `${base}?${new URLSearchParams({ title }).toString()}`, { payload, headers })
}

export async function filesIn({ directory }: DocumentHost): Promise<Dirent[]> {
  return (await readdir(directory, { recursive: true, withFileTypes: true })).filter(entry => entry.isFile())
}

export function rowsOf({ on }: DocumentHost, organization: string): Promise<{ documents: number; strays: StrayFile[] }> {
  return on.daybook.transact({ tenant: organization, actor: systemActor('test') }, async em => ({
    documents: await em.count(Document, {}),
    strays: await em.find(StrayFile, {}),
  }))
}

/** What was noted for removal is removed, as the job does it. */
export async function tidyUp({ on, store }: DocumentHost, organization: string): Promise<void> {
  const transact = <T>(work: Parameters<typeof on.daybook.transact<T>>[1]) =>
    on.daybook.transact({ tenant: organization, actor: systemActor('test') }, work)
  await removeStrayFiles({ store, transact }, new Date(Date.now() + 1_000))
}

export async function expectNothingNew(host: DocumentHost, act: () => Promise<unknown>): Promise<void> {
  const { organization } = host.ann
  const before = [(await filesIn(host)).length, await rowsOf(host, organization)]
  await act()
  await tidyUp(host, organization)
  expect([(await filesIn(host)).length, await rowsOf(host, organization)]).toEqual(before)
}
