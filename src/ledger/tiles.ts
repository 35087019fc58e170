import type { ScopedEntityManager } from '../orm/index.ts'
import { GrowingTree, hashBytes, nodeHash, type Node, peaksOf } from './merkle.ts'
import { LedgerBrokenError } from './ledger.errors.ts'

/** C2SP tlog-tiles: a tile has 256 hashes, and the tile above it one for each whole tile below. */
export const tileWidth = 256
const tileHeight = 8

/** Some hashes of one tile, which one sealing added: nothing is ever written over, so a tile may lie in several. */
export interface TilePart {
  readonly level: number
  /** Of its first hash, among all of its level. */
  readonly position: number
  readonly hashes: Buffer
  /** The first event and the last; of leaves alone. */
  readonly fromSeq: number | null
  readonly toSeq: number | null
}

interface PartRow {
  readonly level: number
  readonly position: string
  readonly hashes: Uint8Array
  readonly from_seq: string | null
  readonly to_seq: string | null
}

const columns = 'level, position::text, hashes, from_seq::text, to_seq::text'
const numberOr = (text: string | null) => (text === null ? null : Number(text))

function partOf({ level, position, hashes, from_seq, to_seq }: PartRow): TilePart {
  return { level, position: Number(position), hashes: Buffer.from(hashes), fromSeq: numberOr(from_seq), toSeq: numberOr(to_seq) }
}

/** Some parts of a level in order: those that begin at this position or later. */
export async function partsFrom(em: ScopedEntityManager, log: string, level: number, position: number, limit: number): Promise<TilePart[]> {
  const rows = await em.execute<PartRow[]>(
    `select ${columns} from ledger_tile where tenant_id = ? and level = ? and position >= ? order by ledger_tile.position limit ${limit}`,
    [log, level, position],
  )
  return rows.map(partOf)
}

/** The leaves among which an event's would be. */
export async function partWith(em: ScopedEntityManager, log: string, seq: number): Promise<TilePart | undefined> {
  const rows = await em.execute<PartRow[]>(
    `select ${columns} from ledger_tile where tenant_id = ? and level = 0 and to_seq >= ? order by ledger_tile.to_seq limit 1`,
    [log, seq],
  )
  return rows.map(partOf).find(({ fromSeq }) => fromSeq !== null && fromSeq <= seq)
}

/** The tree of a log, read from its tiles. Ask one for one piece of work: it remembers what it has read. */
export class Tiles {
  readonly #em: ScopedEntityManager
  readonly #log: string
  readonly #read = new Map<string, Promise<Buffer>>()

  constructor(em: ScopedEntityManager, log: string) {
    this.#em = em
    this.#log = log
  }

  /** The hashes of a tile, as many as there are. */
  tile(level: number, index: number): Promise<Buffer> {
    const name = `${level}/${index}`
    const found = this.#read.get(name) ?? this.#readTile(level, index)
    this.#read.set(name, found)
    return found
  }

  /** The hash of a whole subtree. */
  async node({ level, index }: Node): Promise<Buffer> {
    const row = Math.floor(level / tileHeight)
    const width = 2 ** (level % tileHeight)
    const first = index * width
    const tile = await this.tile(row, Math.floor(first / tileWidth))
    const from = (first % tileWidth) * hashBytes
    if (tile.length < from + width * hashBytes) throw new LedgerBrokenError(this.#log, `level ${row} ends before hash ${first + width - 1}`)
    return folded(tile.subarray(from, from + width * hashBytes))
  }

  /** The tree as it was at some size, ready to grow on. */
  async at(size: number, onWhole?: (node: Node, hash: Buffer) => void): Promise<GrowingTree> {
    const peaks: Buffer[] = []
    for (const peak of peaksOf(size)) peaks.push(await this.node(peak))
    return GrowingTree.at(size, peaks, onWhole)
  }

  async #readTile(level: number, index: number): Promise<Buffer> {
    const start = index * tileWidth
    const rows = await this.#em.execute<PartRow[]>(
      `select ${columns} from ledger_tile where tenant_id = ? and level = ? and position >= ? and position < ? order by ledger_tile.position`,
      [this.#log, level, start, start + tileWidth],
    )
    const parts = rows.map(partOf)
    let end = start
    for (const { position, hashes } of parts) {
      if (position !== end) throw new LedgerBrokenError(this.#log, `level ${level} has no hash ${end}`)
      end += hashes.length / hashBytes
    }
    return Buffer.concat(parts.map(({ hashes }) => hashes))
  }
}

/** Takes hashes as a tree makes them, and writes them in parts that lie in one tile each. */
export class TileWriter {
  readonly #parts: { level: number; position: number; hashes: Buffer[]; fromSeq: number | null; toSeq: number | null }[] = []

  add(level: number, position: number, hash: Buffer, seq: number | null = null): void {
    const last = this.#parts.findLast(part => part.level === level)
    if (last && position % tileWidth > 0) {
      last.hashes.push(hash)
      last.toSeq = seq
    } else {
      this.#parts.push({ level, position, hashes: [hash], fromSeq: seq, toSeq: seq })
    }
  }

  /** For a tree that tells of its nodes: those whose level has tiles. */
  onWhole = ({ level, index }: Node, hash: Buffer): void => {
    if (level % tileHeight === 0) this.add(level / tileHeight, index, hash)
  }

  async write(em: ScopedEntityManager, log: string): Promise<void> {
    const rows = this.#parts.map(({ level, position, hashes, fromSeq, toSeq }) => ({
      l: level,
      p: position,
      h: Buffer.concat(hashes).toString('base64'),
      f: fromSeq,
      t: toSeq,
    }))
    await em.execute(
      `insert into ledger_tile (tenant_id, level, position, hashes, from_seq, to_seq)
         select ?, l, p, decode(h, 'base64'), f, t from json_to_recordset(?) as r(l smallint, p bigint, h text, f bigint, t bigint)`,
      [log, JSON.stringify(rows)],
    )
  }
}

function folded(hashes: Buffer): Buffer {
  if (hashes.length === hashBytes) return hashes
  const middle = hashes.length / 2
  return nodeHash(folded(hashes.subarray(0, middle)), folded(hashes.subarray(middle)))
}
