import { nodeHash, type Node } from './merkle.ts'

/** Finds the hash of a whole subtree. */
export type NodeSource = (node: Node) => Promise<Buffer>

/** RFC 9162, 2.1.3.1: what leads from a leaf to the root of a tree of this size. */
export async function inclusionPath(source: NodeSource, index: number, size: number): Promise<Buffer[]> {
  const path: Buffer[] = []
  for (let [from, to] = [0, size]; to - from > 1;) {
    const middle = from + splitOf(to - from)
    if (index < middle) {
      path.push(await hashOfRange(source, middle, to))
      to = middle
    } else {
      path.push(await hashOfRange(source, from, middle))
      from = middle
    }
  }
  return path.toReversed()
}

/** RFC 9162, 2.1.4.1: what shows that a tree of one size begins with the tree of an earlier one. */
export async function consistencyPath(source: NodeSource, earlier: number, size: number): Promise<Buffer[]> {
  const path: Buffer[] = []
  let isWhole = true
  let [from, to] = [0, size]
  while (earlier < to) {
    const middle = from + splitOf(to - from)
    if (earlier <= middle) {
      path.push(await hashOfRange(source, middle, to))
      to = middle
    } else {
      path.push(await hashOfRange(source, from, middle))
      from = middle
      isWhole = false
    }
  }
  if (!isWhole) path.push(await hashOfRange(source, from, to))
  return path.toReversed()
}

/** The largest power of two below n. */
function splitOf(n: number): number {
  return 2 ** (Math.ceil(Math.log2(n)) - 1)
}

/** A range as the recursion makes them: it begins where a subtree does that is no smaller. */
async function hashOfRange(source: NodeSource, from: number, to: number): Promise<Buffer> {
  const level = Math.log2(to - from)
  if (Number.isInteger(level)) return source({ level, index: from / (to - from) })
  const middle = from + splitOf(to - from)
  return nodeHash(await hashOfRange(source, from, middle), await hashOfRange(source, middle, to))
}
