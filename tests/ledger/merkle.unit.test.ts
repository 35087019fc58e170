import fc from 'fast-check'
import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { emptyRoot, GrowingTree, leafHash, type Node, rootOf } from '../../src/ledger/merkle.ts'
import { consistencyPath, inclusionPath } from '../../src/ledger/proof-paths.ts'
import { verifyConsistency, verifyInclusion } from '../../src/ledger/verify-proofs.ts'

/** The vectors that implementations of Certificate Transparency share. */
const leaves = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f'].map(hex =>
  Buffer.from(hex, 'hex'),
)
const roots = [
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
]
const inclusions = [
  { index: 0, size: 1, path: [] },
  {
    index: 0,
    size: 8,
    path: [
      '96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7',
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      '6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4',
    ],
  },
  {
    index: 5,
    size: 8,
    path: [
      'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
      'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
      'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
    ],
  },
  { index: 2, size: 3, path: ['fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125'] },
  {
    index: 1,
    size: 5,
    path: [
      '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
    ],
  },
]
const consistencies = [
  { earlier: 1, size: 1, path: [] },
  {
    earlier: 1,
    size: 8,
    path: [
      '96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7',
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      '6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4',
    ],
  },
  {
    earlier: 6,
    size: 8,
    path: [
      '0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a',
      'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
      'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
    ],
  },
  {
    earlier: 2,
    size: 5,
    path: [
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
    ],
  },
]

const hex = (hash: Buffer) => hash.toString('hex')
const unhex = (text: string) => Buffer.from(text, 'hex')
const hashes = leaves.map(leafHash)

/** Finds subtrees among leaves that are all there. */
const sourceOf = (all: readonly Buffer[]) => (node: Node) => {
  const width = 2 ** node.level
  return Promise.resolve(rootOf(all.slice(node.index * width, (node.index + 1) * width)))
}

/** RFC 9162, 2.1.1 to 2.1.4, word for word. */
const sha = (...parts: Buffer[]) => createHash('sha256').update(Buffer.concat(parts)).digest()
const split = (n: number) => {
  let k = 1
  while (k * 2 < n) k *= 2
  return k
}
function naiveRoot(d: readonly Buffer[]): Buffer {
  if (d.length === 0) return sha()
  if (d.length === 1) return sha(Buffer.from([0]), d[0]!)
  const k = split(d.length)
  return sha(Buffer.from([1]), naiveRoot(d.slice(0, k)), naiveRoot(d.slice(k)))
}
function naivePath(m: number, d: readonly Buffer[]): Buffer[] {
  if (d.length === 1) return []
  const k = split(d.length)
  return m < k ? [...naivePath(m, d.slice(0, k)), naiveRoot(d.slice(k))] : [...naivePath(m - k, d.slice(k)), naiveRoot(d.slice(0, k))]
}
function naiveConsistency(m: number, d: readonly Buffer[], isWhole = true): Buffer[] {
  if (m === d.length) return isWhole ? [] : [naiveRoot(d)]
  const k = split(d.length)
  return m <= k
    ? [...naiveConsistency(m, d.slice(0, k), isWhole), naiveRoot(d.slice(k))]
    : [...naiveConsistency(m - k, d.slice(k), false), naiveRoot(d.slice(0, k))]
}

describe('the reference vectors', () => {
  test('have our roots, from no leaf to eight', () => {
    expect(hex(emptyRoot)).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855')
    expect(roots.map((_root, last) => hex(rootOf(hashes.slice(0, last + 1))))).toEqual(roots)
  })

  test.each(inclusions)('have our path of leaf $index of $size', async ({ index, size, path }) => {
    expect((await inclusionPath(sourceOf(hashes), index, size)).map(hex)).toEqual(path)
    const proof = { leafHash: hashes[index]!, index, size, root: unhex(roots[size - 1]!), path: path.map(unhex) }
    expect(verifyInclusion(proof)).toBe(true)
  })

  test.each(consistencies)('have our path from $earlier to $size', async ({ earlier, size, path }) => {
    expect((await consistencyPath(sourceOf(hashes), earlier, size)).map(hex)).toEqual(path)
    const [earlierRoot, root] = [unhex(roots[earlier - 1]!), unhex(roots[size - 1]!)]
    expect(verifyConsistency({ earlier, earlierRoot, size, root, path: path.map(unhex) })).toBe(true)
  })
})

describe('for trees of any size', () => {
  const trees = fc
    .array(fc.uint8Array({ maxLength: 8 }), { minLength: 1, maxLength: 70 })
    .map(all => all.map(leaf => Buffer.from(leaf)))
    .chain(all => fc.record({ all: fc.constant(all), at: fc.nat(all.length - 1), other: fc.nat(), bit: fc.nat() }))

  test('roots and paths are those of the definition', () =>
    fc.assert(
      fc.asyncProperty(trees, async ({ all, at }) => {
        const ours = all.map(leafHash)
        expect(hex(rootOf(ours))).toBe(hex(naiveRoot(all)))
        expect((await inclusionPath(sourceOf(ours), at, all.length)).map(hex)).toEqual(naivePath(at, all).map(hex))
        expect((await consistencyPath(sourceOf(ours), at + 1, all.length)).map(hex)).toEqual(naiveConsistency(at + 1, all).map(hex))
      }),
    ))

  test('a tree goes on from its peaks as if it had never stopped', () =>
    fc.assert(
      fc.property(trees, ({ all, at }) => {
        const [first, ours] = [new GrowingTree(), all.map(leafHash)]
        for (const leaf of ours.slice(0, at)) first.add(leaf)
        const second = first.branch()
        for (const leaf of ours.slice(at)) second.add(leaf)
        expect([second.size, hex(second.root())]).toEqual([all.length, hex(naiveRoot(all))])
        expect(hex(first.root())).toBe(hex(naiveRoot(all.slice(0, at))))
      }),
    ))

  test('a true proof holds, and none with another leaf, place, size, root, or one bit elsewhere', () =>
    fc.assert(
      fc.property(trees, ({ all, at, other, bit }) => {
        const proof = { leafHash: leafHash(all[at]!), index: at, size: all.length, root: naiveRoot(all), path: naivePath(at, all) }
        expect(verifyInclusion(proof)).toBe(true)
        expect(verifyInclusion({ ...proof, leafHash: leafHash(Buffer.from('something else')) })).toBe(false)
        expect(verifyInclusion({ ...proof, root: flipped(proof.root, bit) })).toBe(false)
        expect(verifyInclusion({ ...proof, path: [...proof.path, proof.root] })).toBe(false)
        if (proof.path.length > 0) {
          const place = other % proof.path.length
          expect(verifyInclusion({ ...proof, path: proof.path.with(place, flipped(proof.path[place]!, bit)) })).toBe(false)
          expect(verifyInclusion({ ...proof, path: proof.path.slice(1) })).toBe(false)
        }
        const elsewhere = other % all.length
        const isTwin = all[elsewhere]!.equals(all[at]!)
        if (!isTwin) expect(verifyInclusion({ ...proof, index: elsewhere })).toBe(false)
        expect(verifyInclusion({ ...proof, index: all.length })).toBe(false)
      }),
    ))

  test('two trees agree by a true proof alone', () =>
    fc.assert(
      fc.property(trees, ({ all, at, other, bit }) => {
        const [earlier, size] = [at + 1, all.length]
        const proof = {
          earlier,
          size,
          earlierRoot: naiveRoot(all.slice(0, earlier)),
          root: naiveRoot(all),
          path: naiveConsistency(earlier, all),
        }
        expect(verifyConsistency(proof)).toBe(true)
        expect(verifyConsistency({ ...proof, root: flipped(proof.root, bit) })).toBe(false)
        expect(verifyConsistency({ ...proof, earlierRoot: flipped(proof.earlierRoot, bit) })).toBe(false)
        expect(verifyConsistency({ ...proof, path: [...proof.path, proof.root] })).toBe(false)
        expect(verifyConsistency({ ...proof, earlier: size + 1 })).toBe(false)
        if (proof.path.length === 0) return
        const place = other % proof.path.length
        expect(verifyConsistency({ ...proof, path: proof.path.with(place, flipped(proof.path[place]!, bit)) })).toBe(false)
        const rewritten = [Buffer.from('rewritten'), ...all.slice(1)]
        const forged = { ...proof, root: naiveRoot(rewritten), path: naiveConsistency(earlier, rewritten) }
        if (!all[0]!.equals(rewritten[0]!)) expect(verifyConsistency(forged)).toBe(false)
      }),
    ))
})

function flipped(hash: Buffer, bit: number): Buffer {
  const copy = Buffer.from(hash)
  copy[Math.floor(bit / 8) % copy.length]! ^= 1 << (bit % 8)
  return copy
}
