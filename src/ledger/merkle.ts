import { hash as digestOf } from 'node:crypto'

/** The hash tree of RFC 6962 and RFC 9162: SHA-256, 0x00 before a leaf, 0x01 before two nodes. No database here. */
export const hashBytes = 32

export function leafHash(leaf: Buffer): Buffer {
  return digestOf('sha256', Buffer.concat([leafPrefix, leaf]), 'buffer')
}

export function nodeHash(left: Buffer, right: Buffer): Buffer {
  const bytes = Buffer.allocUnsafe(1 + 2 * hashBytes)
  bytes[0] = 1
  left.copy(bytes, 1)
  right.copy(bytes, 1 + hashBytes)
  return digestOf('sha256', bytes, 'buffer')
}

const leafPrefix = Buffer.from([0])

/** The root of a tree without leaves. */
export const emptyRoot: Buffer = digestOf('sha256', '', 'buffer')

/** A whole subtree of 2^level leaves, the `index`th from the left. */
export interface Node {
  readonly level: number
  readonly index: number
}

/** The whole subtrees that a tree of this size falls into, from the left, the largest first. */
export function peaksOf(size: number): Node[] {
  const peaks: Node[] = []
  for (let level = Math.floor(Math.log2(Math.max(size, 1))); level >= 0; level--) {
    const count = Math.floor(size / 2 ** level)
    if (count % 2 === 1) peaks.push({ level, index: count - 1 })
  }
  return peaks
}

/** A tree that grows: of what is there already it keeps the peaks alone, so adding n leaves costs n whatever its size. */
export class GrowingTree {
  readonly #peaks: { readonly level: number; readonly hash: Buffer }[] = []
  readonly #onWhole: ((node: Node, hash: Buffer) => void) | undefined
  #size = 0

  /** `onWhole` hears of each node above the leaves as its subtree becomes whole. */
  constructor(onWhole?: (node: Node, hash: Buffer) => void) {
    this.#onWhole = onWhole
  }

  static at(size: number, peaks: readonly Buffer[], onWhole?: (node: Node, hash: Buffer) => void): GrowingTree {
    const tree = new GrowingTree(onWhole)
    tree.#peaks.push(...peaksOf(size).map(({ level }, place) => ({ level, hash: peaks[place]! })))
    tree.#size = size
    return tree
  }

  get size(): number {
    return this.#size
  }

  add(leaf: Buffer): void {
    let [level, hash] = [0, leaf]
    for (let last = this.#peaks.at(-1); last?.level === level; last = this.#peaks.at(-1)) {
      this.#peaks.pop()
      level++
      hash = nodeHash(last.hash, hash)
      this.#onWhole?.({ level, index: Math.floor(this.#size / 2 ** level) }, hash)
    }
    this.#peaks.push({ level, hash })
    this.#size++
  }

  root(): Buffer {
    const smallestFirst = this.#peaks.map(({ hash }) => hash).toReversed()
    return smallestFirst.length === 0 ? emptyRoot : smallestFirst.reduce((right, left) => nodeHash(left, right))
  }

  /** Another that grows from the same point, and tells nobody. */
  branch(): GrowingTree {
    return GrowingTree.at(
      this.#size,
      this.#peaks.map(({ hash }) => hash),
    )
  }
}

/** The root of all of these. */
export function rootOf(leaves: Iterable<Buffer>): Buffer {
  const tree = new GrowingTree()
  for (const leaf of leaves) tree.add(leaf)
  return tree.root()
}
