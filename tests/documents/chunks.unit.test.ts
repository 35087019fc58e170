import { assert, constantFrom, array, integer, oneof, property, string, tuple } from 'fast-check'
import { describe, expect, test } from 'vitest'
import { chunksOf } from '../../src/entities.ts'

const cut = (text: string, size: number, overlap = 0) => chunksOf(text, { size, overlap }).map(({ content }) => content)

describe('a text is cut', () => {
  test('where a paragraph ends, before a sentence', () => {
    expect(cut('First. Still first.\n\nSecond one. More.', 30)).toEqual(['First. Still first.\n\n', 'Second one. More.'])
    expect(cut('First. Still first.\r\n \r\nSecond one. More.', 30)[0]).toBe('First. Still first.\r\n \r\n')
  })

  test('where a sentence ends, before a word', () => {
    expect(cut('It rains. “It pours.” And so on and on', 30)).toEqual(['It rains. “It pours.” ', 'And so on and on'])
    expect(cut('雨が降る。風が吹く。雪', 7)).toEqual(['雨が降る。', '風が吹く。雪'])
  })

  test('where a word ends', () => {
    expect(cut('alpha beta gamma', 12)).toEqual(['alpha beta ', 'gamma'])
  })

  test('inside of a word only if it fits nowhere, and never inside of a character', () => {
    expect(cut('ab abcdefgh cd', 4)).toEqual(['ab ', 'abcd', 'efgh', ' cd'])
    expect(cut('a😀😀b', 2)).toEqual(['a', '😀', '😀', 'b'])
  })

  test('so that each piece begins with the last words of the one before', () => {
    expect(cut('one two three four five six', 14, 6)).toEqual(['one two three ', 'three four ', 'four five six'])
  })

  test('into nothing where there is nothing', () => {
    expect([cut('', 10), cut(' \n\n\t ', 2)]).toEqual([[], []])
  })

  test.each([
    [1, 0],
    [10, 10],
    [10, -1],
    [2.5, 1],
    [Number.NaN, 0],
  ])('not into pieces of %d that share %d', (size, overlap) => {
    expect(() => cut('text', size, overlap)).toThrow(expect.objectContaining({ code: 'documents.chunking_invalid' }))
  })
})

describe('any text', () => {
  const word = oneof(
    string({ unit: 'binary', maxLength: 12 }),
    constantFrom('word', 'Ende.', 'und', '😀😀😀', 'Übermaß', 'x'.repeat(40), '字字字。'),
  )
  const blank = constantFrom(' ', ' ', '\n', '\n\n', '\r\n\r\n', '   ', '\n \n')
  const text = array(tuple(word, blank), { maxLength: 60 }).map(parts => parts.flat().join(''))
  const options = tuple(integer({ min: 2, max: 60 }), integer({ min: 0, max: 59 })).map(([size, overlap]) => ({
    size,
    overlap: overlap % size,
  }))
  const holds = (check: (text: string, size: number, overlap: number) => void) =>
    assert(
      property(text, options, (any, { size, overlap }) => check(any, size, overlap)),
      { numRuns: 2_000 },
    )

  test('is covered by its pieces, but for blanks, and each is what stands there', () => {
    holds((any, size, overlap) => {
      let covered = 0
      for (const { startsAt, content } of chunksOf(any, { size, overlap })) {
        expect(any.slice(startsAt, startsAt + content.length)).toBe(content)
        expect(any.slice(covered, Math.max(covered, startsAt)).trim()).toBe('')
        covered = startsAt + content.length
      }
      expect(any.slice(covered).trim()).toBe('')
    })
  })

  test('has no piece that is too long, that is blank, or that says nothing new', () => {
    holds((any, size, overlap) => {
      let [before, covered] = [-1, 0]
      for (const { startsAt, content } of chunksOf(any, { size, overlap })) {
        expect(content.length).toBeLessThanOrEqual(size)
        expect(content.trim()).not.toBe('')
        expect(startsAt).toBeGreaterThan(before)
        expect(covered - startsAt).toBeLessThanOrEqual(overlap + 1)
        expect(startsAt + content.length).toBeGreaterThan(covered)
        ;[before, covered] = [startsAt, startsAt + content.length]
      }
    })
  })

  test('keeps its words whole where a piece can hold them', () => {
    holds((any, size, overlap) => {
      const cuts = chunksOf(any, { size, overlap }).flatMap(({ startsAt, content }) => [startsAt, startsAt + content.length])
      for (const { index, 0: whole } of any.matchAll(/\S+/g)) {
        const inside = cuts.filter(at => at > index && at < index + whole.length)
        if (whole.length <= size && !/[。！？]/.test(whole)) expect(inside).toEqual([])
      }
    })
  })

  test('is cut the same way each time, and never through a character', () => {
    holds((any, size, overlap) => {
      const wellFormed = any.toWellFormed()
      const chunks = chunksOf(wellFormed, { size, overlap })
      expect(chunksOf(wellFormed, { size, overlap })).toEqual(chunks)
      for (const { content } of chunks) expect(content.isWellFormed()).toBe(true)
    })
  })
})
