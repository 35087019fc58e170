import { DriverException } from '@mikro-orm/core'
import type { FastifyRequest, FastifyServerOptions } from 'fastify'
import { DaybookError } from '../kernel/error.ts'

type LoggerOptions = Exclude<NonNullable<FastifyServerOptions['logger']>, boolean>

/** What every log line of the host obeys: no bodies, no credentials, no query strings, and no SQL, whose values may be hashes. */
export const quietLogging = {
  redact: ['req.headers.authorization', 'req.headers.cookie', 'res.headers["set-cookie"]', '*.password', '*.token', '*.secret'],
  serializers: { req: requestLine, err: errorLine },
} satisfies LoggerOptions

function requestLine(request: FastifyRequest) {
  return { method: request.method, path: request.url.split('?', 1)[0]?.slice(0, 200), address: request.ip }
}

function errorLine(error: unknown): { type: string; message: string; stack: string; [detail: string]: unknown } {
  if (!(error instanceof Error)) return { type: typeof error, message: '', stack: '' }
  const frames = error.stack?.split('\n').filter(line => line.startsWith('    at ')) ?? []
  const cause = error.cause === undefined ? {} : { cause: errorLine(error.cause) }
  return { type: error.name, ...whatHappened(error), stack: frames.slice(0, 12).join('\n'), ...cause }
}

/** A driver's message quotes the statement with its values, so it is named by its SQLSTATE and by what it broke. */
function whatHappened(error: Error): { message: string; [detail: string]: unknown } {
  const { code, table, constraint } = error as Error & { code?: string; table?: string; constraint?: string }
  if (error instanceof DaybookError) return { message: error.message, code }
  if (error instanceof DriverException || /^[0-9A-Z]{5}$/.test(code ?? ''))
    return { message: 'the database refused', code, table, constraint }
  return { message: error.message, code }
}
