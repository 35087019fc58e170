import { type ServerResponse, STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyBaseLogger } from 'fastify'
import { newId } from '../kernel/id.ts'
import { languageNamed } from './languages/index.ts'
import type { ProblemParts } from './problem-parts.ts'
import { problem } from './problems.ts'
import { securityHeaders } from './security-headers.ts'

const problems: Readonly<Record<string, ProblemParts>> = {
  HPE_HEADER_OVERFLOW: { code: 'http.headers_too_large', detail: 'The headers are larger than what is read here.' },
  HPE_CHUNK_EXTENSIONS_OVERFLOW: { code: 'http.body_too_large', detail: 'The body is larger than what is read here.' },
  ERR_HTTP_REQUEST_TIMEOUT: { code: 'http.request_late', detail: 'The request took too long to arrive.' },
}
const malformed: ProblemParts = { code: 'http.invalid_request', detail: 'This is not HTTP as it is read here.' }

/**
 * What isn't HTTP, or never comes to its end, is refused by the parser: there is no request to answer, so the answer is written by hand. It
 * is in English, for nobody knows what else was asked for.
 */
export function answerUnreadable(error: Error & { readonly code?: string }, socket: Socket, log: FastifyBaseLogger): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return
  const parts = problems[error.code ?? ''] ?? malformed
  log.info({ code: parts.code }, 'a request was refused')
  if (socket.writable && !isAnswering(socket)) socket.write(answer(parts))
  socket.destroy(error)
}

/** In the midst of another answer, this one would be taken for a part of it. */
function isAnswering(socket: Socket): boolean {
  const current = Reflect.get(socket, '_httpMessage') as ServerResponse | null | undefined
  return current?.headersSent ?? false
}

function answer(parts: ProblemParts): string {
  const language = languageNamed('en')
  const told = problem(parts, newId(), language)
  const body = JSON.stringify(told)
  const headers = {
    ...securityHeaders,
    'x-request-id': told.requestId,
    'content-type': 'application/problem+json',
    'content-language': language.tag,
    'content-length': Buffer.byteLength(body),
    connection: 'close',
  }
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  return `HTTP/1.1 ${told.status} ${STATUS_CODES[told.status]}\r\n${lines.join('')}\r\n${body}`
}
