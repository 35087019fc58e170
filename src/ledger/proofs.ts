import type { ScopedEntityManager } from '../orm/index.ts'
import { AuditCheckpoint } from './audit-checkpoint.entity.ts'
import { eventLeaf, eventHash, storedColumns, type StoredEvent } from './event-leaf.ts'
import { EventUnknownError, LedgerBrokenError, NotSealedYetError, SizeUnknownError } from './ledger.errors.ts'
import { headOf, logOf } from './log.ts'
import { hashBytes } from './merkle.ts'
import { consistencyPath, inclusionPath } from './proof-paths.ts'
import { partWith, Tiles } from './tiles.ts'

/** That an event stands in the log: everything that somebody needs who has the log's verifier key and nothing else. */
export interface InclusionProof {
  /** What was hashed, to the byte; see docs/ledger.md. */
  readonly leaf: string
  readonly index: number
  readonly size: number
  /** In base64, from the leaf up. */
  readonly path: string[]
  /** The signed note whose root the path leads to. */
  readonly checkpoint: string
}

export interface ConsistencyProof {
  readonly earlier: number
  readonly earlierRoot: string
  readonly size: number
  readonly root: string
  readonly path: string[]
}

export async function inclusionProof(em: ScopedEntityManager, eventId: string): Promise<InclusionProof> {
  const log = logOf(em)
  const [event] = await em.execute<StoredEvent[]>(`select ${storedColumns} from audit_event where id = ?`, [eventId])
  // A person's own log is seen here too, and has no tree.
  if (event?.tenant_id !== log) throw new EventUnknownError(eventId)
  const [head, part] = [await headOf(em), await partWith(em, log, Number(event.seq))]
  if (!head || head.toSeq < Number(event.seq)) throw new NotSealedYetError(eventId)
  const leaf = eventHash(event)
  const place = part ? placeIn(part.hashes, leaf) : -1
  if (!part || place < 0) throw new LedgerBrokenError(log, `event ${eventId} is not what was sealed`)
  const [index, tiles] = [part.position + place, new Tiles(em, log)]
  const path = await inclusionPath(node => tiles.node(node), index, head.treeSize)
  return { leaf: eventLeaf(event).toString(), index, size: head.treeSize, path: path.map(inBase64), checkpoint: head.note() }
}

/** That the tree of one checkpoint begins with the tree of an earlier one: nothing was changed or removed in between. */
export async function consistencyProof(em: ScopedEntityManager, earlier: number, size: number): Promise<ConsistencyProof> {
  const log = logOf(em)
  const signed = await em.find(AuditCheckpoint, { treeSize: [earlier, size], anchorTarget: null }, { disableIdentityMap: true })
  const rootAt = (wanted: number) => signed.find(({ treeSize }) => treeSize === wanted)?.rootHash
  const [earlierRoot, root] = [rootAt(earlier), rootAt(size)]
  if (!earlierRoot || earlier > size) throw new SizeUnknownError(earlier)
  if (!root) throw new SizeUnknownError(size)
  const tiles = new Tiles(em, log)
  const path = await consistencyPath(node => tiles.node(node), earlier, size)
  return { earlier, earlierRoot, size, root, path: path.map(inBase64) }
}

function placeIn(hashes: Buffer, leaf: Buffer): number {
  for (let place = 0; place * hashBytes < hashes.length; place++) {
    if (hashes.subarray(place * hashBytes, (place + 1) * hashBytes).equals(leaf)) return place
  }
  return -1
}

const inBase64 = (hash: Buffer): string => hash.toString('base64')
