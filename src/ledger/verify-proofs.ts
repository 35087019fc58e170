import { nodeHash } from './merkle.ts'

export interface Inclusion {
  readonly leafHash: Buffer
  readonly index: number
  readonly size: number
  readonly root: Buffer
  readonly path: readonly Buffer[]
}

/** RFC 9162, 2.1.3.2: whether the leaf stands at this place in the tree with this root. It asks nobody: anyone can run it. */
export function verifyInclusion({ leafHash, index, size, root, path }: Inclusion): boolean {
  if (!isPlace(index) || !isPlace(size) || index >= size) return false
  let [place, last, hash] = [index, size - 1, leafHash]
  for (const sibling of path) {
    if (last === 0) return false
    if (place % 2 === 1 || place === last) {
      hash = nodeHash(sibling, hash)
      while (place % 2 === 0 && place !== 0) [place, last] = [half(place), half(last)]
    } else {
      hash = nodeHash(hash, sibling)
    }
    ;[place, last] = [half(place), half(last)]
  }
  return last === 0 && hash.equals(root)
}

export interface Consistency {
  readonly earlier: number
  readonly earlierRoot: Buffer
  readonly size: number
  readonly root: Buffer
  readonly path: readonly Buffer[]
}

/** RFC 9162, 2.1.4.2: whether the later tree begins with all of the earlier one, unchanged. It asks nobody: anyone can run it. */
export function verifyConsistency({ earlier, earlierRoot, size, root, path }: Consistency): boolean {
  if (!isPlace(earlier) || !isPlace(size) || earlier > size) return false
  if (earlier === size) return path.length === 0 && earlierRoot.equals(root)
  // The tree without leaves begins every tree.
  if (earlier === 0) return path.length === 0
  const [first, ...rest] = Number.isInteger(Math.log2(earlier)) ? [earlierRoot, ...path] : path
  if (!first) return false
  let [place, last] = [earlier - 1, size - 1]
  while (place % 2 === 1) [place, last] = [half(place), half(last)]
  let [before, after] = [first, first]
  for (const sibling of rest) {
    if (last === 0) return false
    if (place % 2 === 1 || place === last) {
      before = nodeHash(sibling, before)
      after = nodeHash(sibling, after)
      while (place % 2 === 0 && place !== 0) [place, last] = [half(place), half(last)]
    } else {
      after = nodeHash(after, sibling)
    }
    ;[place, last] = [half(place), half(last)]
  }
  return last === 0 && before.equals(earlierRoot) && after.equals(root)
}

const half = (place: number): number => Math.floor(place / 2)
const isPlace = (number: number): boolean => Number.isSafeInteger(number) && number >= 0
