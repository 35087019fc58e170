import { DriverException, type MetadataStorage } from '@mikro-orm/core'
import type { FastifyRequest, FastifyServerOptions } from 'fastify'
import { DaybookError } from '../kernel/error.ts'
import { isId } from '../kernel/id.ts'
import { Redaction } from './redaction.ts'
import { routeOf } from './route-of.ts'

type LoggerOptions = Exclude<NonNullable<FastifyServerOptions['logger']>, boolean>

/** What every log line of the host obeys: no bodies, no credentials, no query strings, no SQL, whose values may be hashes, and nothing of people. */
export function quietLogging(metadata: MetadataStorage): LoggerOptions {
  const redaction = new Redaction(metadata)
  const serializers = { req: requestLine, res: answerLine, err: (error: unknown) => errorLine(error, redaction) }
  const known = new Set(Object.keys(serializers))
  return {
    serializers,
    formatters: { log: logged => redaction.line(logged, known) },
    hooks: {
      logMethod(parts, method) {
        const [first, ...rest]: readonly unknown[] = parts
        const error = first instanceof Error ? first : (first as { err?: unknown } | undefined)?.err
        const words = rest.map(part => redaction.value(part))
        // Left to itself the logger says an error's message where nothing else is said.
        if (error instanceof Error && words.length === 0) words.push(whatHappened(error, redaction).message)
        Reflect.apply(method, this, [typeof first === 'string' ? redaction.text(first) : first, ...words])
      },
    },
  }
}

function requestLine(request: FastifyRequest) {
  return { method: request.method, path: pathOf(request), address: request.ip }
}

/** What is a word of ours or an id; anything else may be a token that somebody has put there. */
function pathOf(request: FastifyRequest): string {
  const pattern = routeOf(request).split('/')
  const path = request.url.split('?', 1)[0]!.slice(0, 200)
  return path
    .split('/')
    .map((part, index) => (part === pattern[index] || isId(part) || plainWord.test(part) ? part : '…'))
    .join('/')
}

const plainWord = /^[a-z]{0,24}(?:-[a-z]{1,24}){0,5}$/

function answerLine({ statusCode }: { readonly statusCode: number }) {
  return { statusCode }
}

interface ErrorLine {
  readonly type: string
  readonly message: string
  readonly stack: string
  readonly [detail: string]: unknown
}

function errorLine(error: unknown, redaction: Redaction): ErrorLine {
  if (!(error instanceof Error)) return { type: typeof error, message: '', stack: '' }
  const frames = error.stack?.split('\n').filter(line => line.startsWith('    at ')) ?? []
  const cause = error.cause === undefined ? {} : { cause: errorLine(error.cause, redaction) }
  return { type: error.constructor.name, ...whatHappened(error, redaction), stack: frames.slice(0, 12).join('\n'), ...cause }
}

/** A driver's message quotes the statement with its values, so it is named by its SQLSTATE and by what it broke. */
function whatHappened(error: Error, redaction: Redaction): { message: string; [detail: string]: unknown } {
  const { code, table, constraint } = error as Error & { code?: string; table?: string; constraint?: string }
  if (error instanceof DaybookError) return { message: redaction.text(error.message), code }
  if (error instanceof DriverException || /^[0-9A-Z]{5}$/.test(code ?? ''))
    return { message: 'the database refused', code, table, constraint }
  return { message: redaction.foreignMessage(error.message), code }
}
