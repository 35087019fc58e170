import type { ScopedEntityManager, Transact } from '../orm/index.ts'
import { Settling } from '../readers/index.ts'
import { type Anchor, anchorNewest } from './anchor.ts'
import { AuditCheckpoint } from './audit-checkpoint.entity.ts'
import { eventHash, storedColumns, type StoredEvent } from './event-leaf.ts'
import { LedgerBrokenError, OriginInvalidError } from './ledger.errors.ts'
import { signersOf } from './ledger-keys.ts'
import { headOf, logOf } from './log.ts'
import { checkpointText, isSignedBy, namesKey, signNote } from './signed-note.ts'
import { Tiles, TileWriter } from './tiles.ts'

/**
 * Makes a tenant's committed events leaves of its tree, beside the work that wrote them:
 *
 *   events, in the order of followers  →  leaves  →  tiles  →  root  →  a signed checkpoint
 *
 * all in one transaction, so a process that dies in the middle leaves the tree as it was. What is sealed stays where it is, so an event that
 * commits late must not come behind one with a higher number: nothing is sealed that has not settled.
 */
export interface SealOptions {
  /** The name of this installation in its checkpoints: a name that nobody else uses, such as its host's. */
  readonly installation: string
  readonly anchors?: readonly Anchor[]
  readonly batch?: number
}

/** Seals some of what has settled, and publishes the newest checkpoint when nothing is left; how much there was to do. */
export async function sealLog(transact: Transact, options: SealOptions): Promise<number> {
  if (await transact(async em => (await countUnsealed(em, 1)) > 0)) {
    const seal = () => transact(em => sealSettled(em, options))
    const sealed = await seal()
    if (sealed > 0) return sealed
    await transact(em => settlingOf(em).mark(em))
    const settled = await seal()
    if (settled > 0) return settled
  }
  return anchorNewest(transact, options.anchors)
}

/** How many events wait for their seal; no more than a thousand are counted. */
export async function countUnsealed(em: ScopedEntityManager, most = 1_000): Promise<number> {
  const head = await headOf(em)
  const [row] = await em.execute<{ count: number }[]>(
    `select count(*)::int as count from (select from audit_event where tenant_id = ? and seq > ? order by seq limit ${most}) as waiting`,
    [logOf(em), head?.toSeq ?? 0],
  )
  return row!.count
}

const settlings = new WeakMap<object, Settling>()

/** What one process knows of a database's log, whoever's part of it it reads. */
function settlingOf(em: ScopedEntityManager): Settling {
  const driver = em.getDriver()
  const settling = settlings.get(driver) ?? new Settling()
  settlings.set(driver, settling)
  return settling
}

/** One batch, in the transaction at hand. */
async function sealSettled(em: ScopedEntityManager, { installation, batch = 2_000 }: SealOptions): Promise<number> {
  const log = logOf(em)
  // One at a time, also where somebody seals by hand while the job does.
  await em.execute(`select pg_advisory_xact_lock(hashtextextended('daybook ledger ' || ?, 0))`, [log])
  const head = await headOf(em)
  const settled = await settlingOf(em).reached(em)
  const events = await em.execute<StoredEvent[]>(
    `select ${storedColumns} from audit_event where tenant_id = ? and seq > ? and seq <= ? order by audit_event.seq limit ${batch}`,
    [log, head?.toSeq ?? 0, settled],
  )
  if (events.length === 0) return 0
  const writer = new TileWriter()
  const tree = await new Tiles(em, log).at(head?.treeSize ?? 0, writer.onWhole)
  if (head) await refuseForged(em, head, tree.root())
  for (const event of events) {
    const leaf = eventHash(event)
    writer.add(0, tree.size, leaf, Number(event.seq))
    tree.add(leaf)
  }
  await writer.write(em, log)
  const checkpoint = { origin: originOf(installation, log), size: tree.size, root: tree.root() }
  const [signer] = await signersOf(em)
  em.create(AuditCheckpoint, {
    fromSeq: Number(events[0]!.seq),
    toSeq: Number(events.at(-1)!.seq),
    treeSize: checkpoint.size,
    rootHash: checkpoint.root.toString('base64'),
    origin: checkpoint.origin,
    signature: signNote(checkpointText(checkpoint), checkpoint.origin, signer!).bytes.toString('base64'),
  })
  await em.flush()
  return events.length
}

/** A tree that was tampered with must not be signed anew. A checkpoint by a key that is gone can't be judged here; verification tells of it. */
async function refuseForged(em: ScopedEntityManager, head: AuditCheckpoint, root: Buffer): Promise<void> {
  const { origin, size } = head.checkpoint()
  if (!root.equals(head.checkpoint().root))
    throw new LedgerBrokenError(head.tenantId, `its tiles don’t give the root of checkpoint ${size}`)
  const [text, signature] = [checkpointText(head.checkpoint()), { name: origin, bytes: Buffer.from(head.signature, 'base64') }]
  for (const { publicKey } of await signersOf(em)) {
    const verifier = { name: origin, publicKey }
    if (namesKey(signature, verifier) && !isSignedBy(text, signature, verifier))
      throw new LedgerBrokenError(head.tenantId, `the signature of checkpoint ${size} is not its key’s`)
  }
}

/** A log's name in its checkpoints, and the name of its key. */
export function originOf(installation: string, log: string): string {
  if (!/^[^\s+]+$/u.test(installation)) throw new OriginInvalidError(installation)
  return `${installation}/${log}`
}
