import type { Bytes } from './document-store.ts'
import { ContentMismatchError } from './documents.errors.ts'

type Beginning = readonly (number | undefined)[]

const ascii = (word: string): Beginning => [...Buffer.from(word, 'latin1')]
const anything = (count: number): Beginning => Array.from({ length: count }, () => undefined)
const zip = [ascii('PK\x03\x04')]

/** How files of a type begin. What is text begins anyhow, and is text to its end. */
const beginnings: Readonly<Record<string, readonly Beginning[] | 'text'>> = {
  'application/pdf': [ascii('%PDF-')],
  'application/vnd.openxmlformats-officedocument.presentationml.presentation': zip,
  'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet': zip,
  'application/vnd.openxmlformats-officedocument.wordprocessingml.document': zip,
  'application/vnd.oasis.opendocument.text': zip,
  'application/json': 'text',
  'image/gif': [ascii('GIF87a'), ascii('GIF89a')],
  'image/jpeg': [ascii('\xff\xd8\xff')],
  'image/png': [ascii('\x89PNG\r\n\x1a\n')],
  'image/tiff': [ascii('II*\0'), ascii('MM\0*')],
  'image/webp': [[...ascii('RIFF'), ...anything(4), ...ascii('WEBP')]],
  'text/csv': 'text',
  'text/markdown': 'text',
  'text/plain': 'text',
}
const longestBeginning = 12

/** The types of which a file's content tells whether it is one. Pages and scripts are not among them. */
export const mediaTypes: readonly string[] = Object.keys(beginnings)

/** Lets content pass that is what it is said to be, and refuses it as soon as it isn't. */
export async function* requireContent(content: Bytes, mimeType: string): Bytes {
  const wanted = beginnings[mimeType] ?? []
  yield* wanted === 'text' ? text(content, mimeType) : begun(content, mimeType, wanted)
}

async function* begun(content: Bytes, mimeType: string, wanted: readonly Beginning[]): Bytes {
  let head: Uint8Array = Buffer.alloc(0)
  let isKnown = false
  for await (const part of content) {
    if (isKnown) {
      yield part
      continue
    }
    head = Buffer.concat([head, part])
    if (head.byteLength < longestBeginning) continue
    requireBeginning(head, mimeType, wanted)
    isKnown = true
    yield head
  }
  if (isKnown) return
  requireBeginning(head, mimeType, wanted)
  yield head
}

function requireBeginning(head: Uint8Array, mimeType: string, wanted: readonly Beginning[]): void {
  const isOne = wanted.some(beginning => beginning.every((byte, index) => byte === undefined || byte === head[index]))
  if (!isOne) throw new ContentMismatchError(mimeType)
}

async function* text(content: Bytes, mimeType: string): Bytes {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  let isEmpty = true
  for await (const part of content) {
    requireText(decoder, mimeType, part)
    isEmpty &&= part.byteLength === 0
    yield part
  }
  requireText(decoder, mimeType)
  if (isEmpty) throw new ContentMismatchError(mimeType)
}

function requireText(decoder: InstanceType<typeof TextDecoder>, mimeType: string, part?: Uint8Array): void {
  try {
    const read = part ? decoder.decode(part, { stream: true }) : decoder.decode()
    if (!read.includes('\0')) return
  } catch (cause) {
    throw new ContentMismatchError(mimeType, { cause })
  }
  throw new ContentMismatchError(mimeType)
}
