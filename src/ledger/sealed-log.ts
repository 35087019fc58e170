import type { Transact } from '../orm/index.ts'
import { Ahead } from './ahead.ts'
import { AuditCheckpoint } from './audit-checkpoint.entity.ts'
import { eventHash, storedColumns, type StoredEvent } from './event-leaf.ts'
import { hashBytes } from './merkle.ts'
import { logOf } from './log.ts'
import { partsFrom } from './tiles.ts'

/** An event as it stands in the log today. */
export interface StandingEvent {
  readonly seq: number
  readonly id: string
  readonly recordedAt: number
  readonly hash: Buffer
}

/** A hash as it stands in a tile, and the events among which its leaf was sealed. */
export interface StandingHash {
  readonly position: number
  readonly hash: Buffer
  readonly fromSeq: number | null
  readonly toSeq: number | null
}

/** Events of numbers that somebody gave twice come together, whatever the batch. */
export function eventsIn(transact: Transact, after: number | undefined, upTo: number): Ahead<StandingEvent> {
  return new Ahead(async last => {
    const rows = await transact(em =>
      em.execute<StoredEvent[]>(
        `select ${storedColumns} from audit_event where tenant_id = ? and seq > ? and seq <= ? order by audit_event.seq fetch first 2000 rows with ties`,
        [logOf(em), last?.seq ?? after ?? '-9223372036854775808', upTo],
      ),
    )
    return rows.map(row => ({
      seq: Number(row.seq),
      id: row.id!,
      recordedAt: Number(row.recorded_at) / 1_000,
      hash: eventHash(row),
    }))
  })
}

export function hashesIn(transact: Transact, level: number, from: number, size: number): Ahead<StandingHash> {
  return new Ahead(async last => {
    const start = last ? last.position + 1 : from
    if (start >= size) return []
    const parts = await transact(em => partsFrom(em, logOf(em), level, start, 32))
    const found = parts.flatMap(({ position, hashes, fromSeq, toSeq }) =>
      Array.from({ length: Math.floor(hashes.length / hashBytes) }, (_hash, place) => ({
        position: position + place,
        hash: hashes.subarray(place * hashBytes, (place + 1) * hashBytes),
        fromSeq,
        toSeq,
      })),
    )
    return found.filter(({ position }) => position < size)
  })
}

/** Where a checkpoint was published it stands a second time. */
export function checkpointsIn(transact: Transact, from: number, upTo: number): Ahead<AuditCheckpoint> {
  return new Ahead(last =>
    transact(em =>
      em.find(
        AuditCheckpoint,
        {
          $and: [
            { treeSize: { $gte: from, $lte: upTo } },
            ...(last ? [{ $or: [{ treeSize: { $gt: last.treeSize } }, { treeSize: last.treeSize, id: { $gt: last.id } }] }] : []),
          ],
        },
        { orderBy: { treeSize: 'asc', id: 'asc' }, limit: 500, disableIdentityMap: true },
      ),
    ),
  )
}
