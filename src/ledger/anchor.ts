import { open } from 'node:fs/promises'
import { now } from '../kernel/clock.ts'
import type { Transact } from '../orm/index.ts'
import { AuditCheckpoint } from './audit-checkpoint.entity.ts'
import { headOf } from './log.ts'

/**
 * Takes checkpoints to where whoever rules the database doesn't: a bucket that forgets nothing, a repository, a witness, somebody's mail. It may
 * be given the same one twice, after a crash.
 */
export interface Anchor {
  /** How the place is called in `anchorTarget`; another name is another place. */
  readonly target: string
  /** A signed note; when this returns, it is published. Notes of several tenants may come at once. */
  readonly publish: (note: string, about: { readonly tenant: string; readonly size: number }) => Promise<void>
}

/** Writes each note at the end of a file, and to the disk. */
export function fileAnchor(path: string): Anchor {
  return {
    target: `file:${path}`,
    async publish(note) {
      await using file = await open(path, 'a')
      await file.appendFile(`${note}\n`)
      await file.sync()
    },
  }
}

/** Publishes the newest checkpoint where it isn't published yet. Nothing is locked meanwhile; the tree only grows, so none contradicts another. */
export async function anchorNewest(transact: Transact, anchors: readonly Anchor[] = []): Promise<number> {
  let published = 0
  for (const { target, publish } of anchors) {
    const head = await transact(async em => {
      const newest = await headOf(em)
      const isThere = newest && (await em.count(AuditCheckpoint, { treeSize: newest.treeSize, anchorTarget: target })) > 0
      return isThere ? undefined : newest
    })
    if (!head) continue
    await publish(head.note(), { tenant: head.tenantId, size: head.treeSize })
    const { fromSeq, toSeq, treeSize, rootHash, origin, signature } = head
    const row = { fromSeq, toSeq, treeSize, rootHash, origin, signature, anchoredAt: now(), anchorTarget: target }
    await transact(async em => {
      em.create(AuditCheckpoint, row)
      await em.flush()
    })
    published++
  }
  return published
}
