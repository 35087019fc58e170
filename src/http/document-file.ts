import type { FastifyReply, FastifyRequest } from 'fastify'
import { Readable } from 'node:stream'
import { type Bytes, type Document, MediaTypeRefusedError } from '../domain/documents/index.ts'
import { hasSeen } from './entity-tags.ts'

/** What would steer a terminal, or turn round the order in which a name is read. */
const steering = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu

/** A title as it may stand in a list: often it is the name of a file. */
export function cleanTitle(title: string): string {
  return title.normalize('NFC').replaceAll(steering, '').trim()
}

/** What `Content-Type` says, without its parameters. */
export function mediaTypeIn({ headers }: FastifyRequest, accepted: readonly string[]): string {
  const type = headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase() ?? ''
  if (!accepted.includes(type)) throw new MediaTypeRefusedError(accepted)
  return type
}

export type Kept = Pick<Document, 'title' | 'storageKey' | 'mimeType' | 'sha256' | 'sizeBytes'>

/** Sends a file as something to be kept, never to be shown by the browser that asks: nobody knows what is in it. */
export async function sendFile(
  request: FastifyRequest,
  reply: FastifyReply,
  { title, mimeType, sha256, sizeBytes }: Kept,
  open: () => Promise<Bytes>,
): Promise<FastifyReply> {
  const etag = `"${sha256}"`
  reply.headers({ etag, 'accept-ranges': 'bytes', 'cache-control': 'private, no-cache' })
  if (hasSeen(request.headers['if-none-match'], etag)) return reply.code(304).send()
  const range = rangeIn(request, etag, sizeBytes)
  const { from, to } = range ?? { from: 0, to: sizeBytes - 1 }
  if (range) reply.code(206).header('content-range', `bytes ${from}-${to}/${sizeBytes}`)
  const content = await open()
  reply.headers({
    'content-type': mimeType.startsWith('text/') ? `${mimeType}; charset=utf-8` : mimeType,
    'content-length': to - from + 1,
    'content-disposition': dispositionOf(title, mimeType),
  })
  const answer = Readable.from(between(content, from, to), { objectMode: false })
  // Whoever leaves before the first byte ends what nobody has begun to read, and then nothing else lets go of the file.
  answer.once('close', () => content instanceof Readable && content.destroy())
  return reply.send(answer)
}

interface Range {
  readonly from: number
  readonly to: number
}

/** One range is given, as whoever goes on with a download asks for it. Whatever else is asked, the whole file answers it too. */
function rangeIn({ headers }: FastifyRequest, etag: string, size: number): Range | undefined {
  const [, first = '', last = ''] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(headers.range ?? '') ?? []
  if (first === '' && last === '') return undefined
  if (headers['if-range'] !== undefined && headers['if-range'] !== etag) return undefined
  const from = first === '' ? Math.max(0, size - Number(last)) : Number(first)
  const to = first === '' || last === '' ? size - 1 : Math.min(Number(last), size - 1)
  return from <= to ? { from, to } : undefined
}

/** Of whatever a store gives; what lies before is read and left aside. */
async function* between(content: Bytes, from: number, to: number): Bytes {
  let position = 0
  for await (const part of content) {
    const piece = part.subarray(Math.max(0, from - position), Math.max(0, to + 1 - position))
    position += part.byteLength
    if (piece.byteLength > 0) yield piece
    if (position > to) return
  }
}

const extensions: Readonly<Record<string, string>> = {
  'application/json': 'json',
  'application/pdf': 'pdf',
  'application/vnd.oasis.opendocument.text': 'odt',
  'application/vnd.openxmlformats-officedocument.presentationml.presentation': 'pptx',
  'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet': 'xlsx',
  'application/vnd.openxmlformats-officedocument.wordprocessingml.document': 'docx',
  'image/jpeg': 'jpg',
  'text/markdown': 'md',
  'text/plain': 'txt',
}

/** RFC 6266: a name that every client takes, and the whole one in UTF-8. Neither holds a path, and the type decides how it ends. */
function dispositionOf(title: string, mimeType: string): string {
  const ending = `.${extensions[mimeType] ?? mimeType.split('/')[1]!}`
  const name = cleanTitle(title)
    .replaceAll(/[/\\:*?"<>|]+/g, '-')
    .replace(/^[.-]+/, '')
    .slice(0, 150)
  const full = (name.toLowerCase().endsWith(ending) ? name : `${name || 'document'}${ending}`).toWellFormed()
  const plain = full
    .normalize('NFKD')
    .replaceAll(/[^\x20-\x7e]/g, '')
    .replaceAll(/["\\%]/g, '-')
  const encoded = encodeURIComponent(full).replaceAll(/['()*]/g, character => `%${character.charCodeAt(0).toString(16)}`)
  return `attachment; filename="${plain}"; filename*=UTF-8''${encoded}`
}
