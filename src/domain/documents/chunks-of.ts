import { ChunkingInvalidError } from './documents.errors.ts'

export interface ChunkOptions {
  /** The most characters of a chunk. */
  readonly size: number
  /** About how many of them the next one begins with. */
  readonly overlap: number
}

export interface Chunk {
  /** Where it begins in the text. */
  readonly startsAt: number
  /** Exactly what stands there. */
  readonly content: string
}

/**
 * Cuts a text into pieces that cover all of it but blanks, each from where the last one left off or a little before. It cuts where a paragraph
 * ends, else a sentence, else a word; inside of a word only where the word alone is longer than a piece.
 */
export function chunksOf(text: string, { size, overlap }: ChunkOptions): Chunk[] {
  const isValid = Number.isInteger(size) && Number.isInteger(overlap) && size >= 2 && overlap >= 0 && overlap < size
  if (!isValid) throw new ChunkingInvalidError(size, overlap)
  const chunks: Chunk[] = []
  let [start, covered] = [0, 0]
  while (covered < text.length) {
    const cut = cutAfter(text, start, covered, size)
    // Too little room beside what is repeated: then nothing is.
    if (cut === undefined && start < covered) {
      start = covered
      continue
    }
    const end = cut ?? wholeCharacters(text, start + size)
    const content = text.slice(start, end)
    if (content.trim()) chunks.push({ startsAt: start, content })
    start = nextStart(text, start, end, overlap)
    covered = end
  }
  return chunks
}

/** The best place to cut behind what is covered already, if there is one. */
function cutAfter(text: string, start: number, covered: number, size: number): number | undefined {
  const limit = start + size
  if (limit >= text.length) return text.length
  // In its first half a cut would make many small pieces.
  const half = Math.max(covered, start + Math.floor(size / 2))
  return (
    lastWhere(text, half, limit, endsParagraph) ?? lastWhere(text, half, limit, endsSentence) ?? lastWhere(text, covered, limit, endsWord)
  )
}

function nextStart(text: string, start: number, end: number, overlap: number): number {
  const from = Math.max(end - overlap, start + 1)
  for (let at = from; at < end; at++) if (isBlank(text, at - 1) && !isBlank(text, at)) return at
  // A script that has no blanks between words, or one long word.
  const isInsideWord = !endsWord(text, end) && overlap > 0
  const at = wholeCharacters(text, from)
  return isInsideWord && at > start ? at : end
}

function lastWhere(text: string, after: number, upTo: number, test: (text: string, at: number) => boolean): number | undefined {
  for (let at = upTo; at > after; at--) if (test(text, at)) return at
  return undefined
}

const endsParagraph = (text: string, at: number) => !isBlank(text, at) && /\n[^\S\n]*\n\s*$/.test(text.slice(Math.max(0, at - 16), at))
const endsSentence = (text: string, at: number) =>
  isBlank(text, at - 1)
    ? !isBlank(text, at) && /[.!?…]["'”’»)\]]*\s+$/.test(text.slice(Math.max(0, at - 16), at))
    : /[。！？]/.test(text[at - 1]!)
const endsWord = (text: string, at: number) => at >= text.length || isBlank(text, at - 1) || isBlank(text, at)

function isBlank(text: string, at: number): boolean {
  return /\s/.test(text[at] ?? '')
}

/** Not between the two halves that some characters have. */
function wholeCharacters(text: string, at: number): number {
  const isBetween = /[\uDC00-\uDFFF]/.test(text[at] ?? '') && /[\uD800-\uDBFF]/.test(text[at - 1] ?? '')
  return isBetween ? at - 1 : at
}
