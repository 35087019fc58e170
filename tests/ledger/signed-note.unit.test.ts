import { describe, expect, test } from 'vitest'
import { eventLeaf, leafColumns, type StoredEvent } from '../../src/ledger/event-leaf.ts'
import {
  checkpointText,
  isSignedBy,
  notesIn,
  noteText,
  openCheckpoint,
  parseCheckpoint,
  parseNote,
  parseVerifierKey,
  signerFrom,
  signNote,
  verifierKey,
} from '../../src/ledger/signed-note.ts'

describe('a signed note', () => {
  test('of the format’s own documentation is read and verified', () => {
    const note =
      'If you think cryptography is the answer to your problem,\nthen you don’t know what your problem is.\n'.replace('’', "'") +
      '\n— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n'
    const verifier = parseVerifierKey('PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW')
    const { text, signatures } = parseNote(note)
    expect(isSignedBy(text, signatures[0]!, verifier)).toBe(true)
    expect(isSignedBy(`${text}\n`, signatures[0]!, verifier)).toBe(false)
    expect(noteText({ text, signatures })).toBe(note)
    expect(verifierKey(verifier)).toBe('PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW')
  })

  const signer = signerFrom(Buffer.alloc(32, 1))
  const checkpoint = { origin: 'example/one', size: 7, root: Buffer.alloc(32, 9) }
  const verifier = { name: checkpoint.origin, publicKey: signer.publicKey }
  const text = checkpointText(checkpoint)
  const note = noteText({ text, signatures: [signNote(text, checkpoint.origin, signer)] })

  test('opens with its key, in its log’s name, unaltered, and not otherwise', () => {
    expect(openCheckpoint(note, [verifier])).toEqual(checkpoint)
    expect(openCheckpoint(note, [])).toBeUndefined()
    expect(openCheckpoint(note, [{ ...verifier, publicKey: signerFrom(Buffer.alloc(32, 2)).publicKey }])).toBeUndefined()
    expect(openCheckpoint(note, [{ ...verifier, name: 'example/two' }])).toBeUndefined()
    expect(openCheckpoint(note.replace('\n7\n', '\n8\n'), [verifier])).toBeUndefined()
    expect(openCheckpoint(note.replaceAll('example/one', 'example/two'), [{ ...verifier, name: 'example/two' }])).toBeUndefined()
  })

  test('is refused when it is none', () => {
    for (const broken of ['', 'a', note.slice(0, -1), note.replace('— ', '- '), note.replace('\n\n', '\n')])
      expect(() => parseNote(broken)).toThrow(/signed checkpoint/)
    for (const broken of ['', 'a\n', 'a\n07\nx\n', text.replace('7', '-7')])
      expect(() => parseCheckpoint(broken)).toThrow(/signed checkpoint/)
    for (const key of ['', 'a+b+c', verifierKey(verifier).replace('example', 'exampel')])
      expect(() => parseVerifierKey(key)).toThrow(/verifier key/)
  })

  test('is found among others in a file', () => {
    const other = note.replaceAll('one', 'two')
    expect(notesIn(`${note}\n${other}\n`)).toEqual([note, other])
    expect(notesIn(note)).toEqual([note])
    expect(notesIn('')).toEqual([])
  })
})

test('no two events have one leaf: what stands where is told by its length', () => {
  const empty = Object.fromEntries(leafColumns.map(column => [column, null])) as StoredEvent
  const leaf = (event: Partial<StoredEvent>) => eventLeaf({ ...empty, ...event }).toString()
  expect(leaf({ kind: '' })).not.toBe(leaf({}))
  expect(leaf({ kind: 'a\ntype -' })).not.toBe(leaf({ kind: 'a' }))
  expect(leaf({ kind: 'a', type: 'bc' })).not.toBe(leaf({ kind: 'ab', type: 'c' }))
  expect(leaf({ reason: 'é' })).toContain('\nreason 2:é\n')
})
