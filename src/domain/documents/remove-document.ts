import { LockMode } from '@mikro-orm/core'
import { latest } from '../../kernel/clock.ts'
import { messageOf } from '../../kernel/error.ts'
import { inTime } from '../../kernel/in-time.ts'
import type { ScopedEntityManager, Transact } from '../../orm/index.ts'
import { Document } from './document.entity.ts'
import type { DocumentStore } from './document-store.ts'
import { StrayFile } from './stray-file.entity.ts'

/**
 * Removes a document, with its embeddings and chats. A file can't be brought back when a transaction is rolled back, so it isn't removed
 * here: the database notes its key in the same transaction, however the document is deleted, and `removeStrayFiles` does the rest.
 */
export async function removeDocument(em: ScopedEntityManager, document: Document): Promise<void> {
  await em.transactional(async inner => void inner.remove(document))
}

export interface FileRemover {
  readonly store: DocumentStore
  readonly transact: Transact
}

const [takenAtOnce, timeoutMs] = [50, 10_000]
/** Longer than removing them all may take: whoever has taken one has it for so long. */
const holdMs = 10 * 60_000

/** Removes the files that no document has, some at a time; how many there were. One that can't be removed is tried again later. */
export async function removeStrayFiles({ store, transact }: FileRemover, at: Date): Promise<number> {
  const taken = await transact(em => take(em, at))
  for (const { id, storageKey, attempts } of taken) {
    const error = await inTime(timeoutMs, () => store.delete(storageKey)).then(() => undefined, messageOf)
    const mine = { id, attempts }
    await transact(em => (error === undefined ? em.nativeDelete(StrayFile, mine) : em.nativeUpdate(StrayFile, mine, { error })))
  }
  return taken.length
}

export function countStrayFiles(em: ScopedEntityManager, at: Date, tenantId?: string): Promise<number> {
  return em.count(StrayFile, { ...due(at), ...(tenantId && { tenantId }) })
}

const due = (at: Date) => ({ dueAt: { $lte: at } })

async function take(em: ScopedEntityManager, at: Date): Promise<StrayFile[]> {
  const files = await em.find(StrayFile, due(at), {
    orderBy: { dueAt: 'asc' },
    limit: takenAtOnce,
    lockMode: LockMode.PESSIMISTIC_PARTIAL_WRITE,
  })
  // A document that was restored from the log has its file again.
  const claimed = await em.find(Document, { storageKey: { $in: files.map(({ storageKey }) => storageKey) } }, { fields: ['storageKey'] })
  const kept = new Set(claimed.map(({ storageKey }) => storageKey))
  for (const file of files) {
    if (kept.has(file.storageKey)) em.remove(file)
    file.attempts++
    file.dueAt = new Date(latest(at).getTime() + holdMs)
  }
  return files.filter(({ storageKey }) => !kept.has(storageKey))
}
