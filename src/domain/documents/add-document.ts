import { createHash } from 'node:crypto'
import { now } from '../../kernel/clock.ts'
import { newId } from '../../kernel/id.ts'
import type { ScopedEntityManager } from '../../orm/index.ts'
import { Document } from './document.entity.ts'
import { type Bytes, type DocumentStore, newStorageKey } from './document-store.ts'
import { DocumentInvalidError, DocumentTooLargeError, UploadLateError } from './documents.errors.ts'
import { requireOutside } from './outside-transaction.ts'
import { StrayFile } from './stray-file.entity.ts'

export interface DocumentInput {
  readonly title: string
  readonly storageKey: string
  readonly mimeType: string
  readonly sizeBytes: number
  readonly sha256: string
}

/** Takes in a file that is stored already. The same content is found again, whoever gave it first, unless it couldn't be read. */
export async function addDocument(em: ScopedEntityManager, input: DocumentInput): Promise<Document> {
  const { title, storageKey, sizeBytes, sha256 } = input
  const mimeType = input.mimeType.trim().toLowerCase()
  requireValid({ ...input, mimeType })
  // One statement, so however many give the same file at once, one document comes of it.
  const add = (inner: ScopedEntityManager) =>
    inner.execute(
      `insert into document (id, tenant_id, title, storage_key, mime_type, size_bytes, sha256) values (?, ?, ?, ?, ?, ?, ?)
         on conflict (tenant_id, sha256) where status <> 'FAILED' do nothing`,
      [newId(), tenantOf(inner), title.trim(), storageKey, mimeType, sizeBytes, sha256],
    )
  await em.transactional(add)
  return em.findOneOrFail(Document, { sha256, status: { $ne: 'FAILED' } })
}

export interface Upload {
  readonly title: string
  readonly mimeType: string
  readonly maxBytes?: number
}

/** A file that is whole in the store, and of which a transaction decides: by `add` a document has it, after `leave` it is removed. */
export interface StoredFile {
  readonly storageKey: string
  readonly sha256: string
  /** Another's document, where that has the same content already. */
  readonly add: (em: ScopedEntityManager) => Promise<Document>
  readonly leave: (em: ScopedEntityManager) => Promise<unknown>
}

export interface Taking<A> extends Upload {
  readonly take: (file: StoredFile) => Promise<A>
}

const dayMs = 24 * 60 * 60_000

/** Stores a file as it comes in, and takes it in as a document. */
export async function storeDocument(
  em: ScopedEntityManager,
  store: DocumentStore,
  content: Bytes,
  upload: Upload,
  at: Date = now(),
): Promise<Document> {
  return storeFile(em, store, content, { ...upload, take: file => em.transactional(file.add) }, at)
}

/**
 * Stores a file as it comes in, and has it taken in a transaction that begins when all of it is there, for files are long on their way. Its
 * key is noted before anything is written, and the note goes in the transaction that adds the document, so wherever this ends, a file that no
 * document has is removed.
 */
export async function storeFile<A>(
  em: ScopedEntityManager,
  store: DocumentStore,
  content: Bytes,
  { title, mimeType, maxBytes = 50_000_000, take }: Taking<A>,
  at: Date = now(),
): Promise<A> {
  requireOutside(em, 'storeDocument')
  const storageKey = newStorageKey(tenantOf(em))
  const leave = (inner: ScopedEntityManager) => inner.nativeUpdate(StrayFile, { storageKey }, { dueAt: at })
  await em.transactional(async inner => void inner.create(StrayFile, { storageKey, dueAt: new Date(at.getTime() + dayMs) }))
  const measure = measured(maxBytes)
  try {
    await store.put(storageKey, measure.through(content))
    const told = { title, mimeType, storageKey, ...measure.result() }
    const add = async (inner: ScopedEntityManager) => {
      const document = await addDocument(inner, told)
      if (document.storageKey !== storageKey) await leave(inner)
      else if ((await inner.nativeDelete(StrayFile, { storageKey, attempts: 0 })) === 0) throw new UploadLateError()
      return document
    }
    return await take({ storageKey, sha256: told.sha256, add, leave })
  } catch (error) {
    await em.transactional(leave).catch(() => undefined)
    throw error
  }
}

function tenantOf(em: ScopedEntityManager): string {
  const scope = em.boundScope
  if (scope?.kind !== 'tenant') throw new DocumentInvalidError(['it belongs to nobody: work in a tenant’s scope'])
  return scope.tenantId
}

function requireValid({ title, mimeType, sizeBytes, sha256 }: DocumentInput): void {
  const problems = [
    ...(title.trim() ? [] : ['it has no title']),
    ...(/^[a-z0-9][\w!#$&^.+-]*\/[a-z0-9][\w!#$&^.+-]*$/.test(mimeType) ? [] : ['its type is none, like application/pdf']),
    ...(Number.isSafeInteger(sizeBytes) && sizeBytes >= 0 ? [] : ['its size is no number of bytes']),
    ...(/^[0-9a-f]{64}$/.test(sha256) ? [] : ['its sha256 isn’t 64 hexadecimal digits']),
  ]
  if (problems.length > 0) throw new DocumentInvalidError(problems)
}

/** Counts and digests what passes, and lets no more pass than is allowed. */
function measured(maxBytes: number) {
  const hash = createHash('sha256')
  let sizeBytes = 0
  return {
    async *through(content: Bytes): Bytes {
      for await (const part of content) {
        sizeBytes += part.byteLength
        if (sizeBytes > maxBytes) throw new DocumentTooLargeError(maxBytes)
        hash.update(part)
        yield part
      }
    },
    result: () => ({ sizeBytes, sha256: hash.digest('hex') }),
  }
}
