import type { IncomingHttpHeaders } from 'node:http'
import type { Story } from '../context/index.ts'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { currentTraceId } from '../kernel/tracing.ts'
import { isId, newId } from '../kernel/id.ts'

/** The caller's `X-Request-Id` when it is a UUID, so that two logs can be laid side by side; otherwise one of ours. */
export function requestIdFrom(headers: IncomingHttpHeaders): string {
  const given = headers['x-request-id']
  return isId(given) ? given.toLowerCase() : newId()
}

export async function echoRequestId(request: FastifyRequest, reply: FastifyReply): Promise<void> {
  reply.header('x-request-id', request.id)
}

/** What a request tells the log about itself. The larger story is the caller's trace, when there is one; else ours. */
export function storyOf(requestId: string, headers: IncomingHttpHeaders): Story {
  // In an application of one's own, ids of requests are what that application makes of them.
  return {
    ...(isId(requestId) && { requestId }),
    correlationId:
      traceIn(headers.traceparent) ??
      correlationIn(headers['x-correlation-id']) ??
      currentTraceId() ??
      (isId(requestId) ? requestId : newId()),
  }
}

/** As the W3C has it: all zeroes are no id, version ff is none, and one that is newer than the first may have more parts. */
const traceparent =
  /^(?:00(?=.{53}$)|(?!00|ff)[0-9a-f]{2})-(?!0{32})([0-9a-f]{8})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{12})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?$/

/** A trace id has the 128 bits of a UUID, so it becomes one. */
function traceIn(header: string | string[] | undefined): string | undefined {
  return typeof header === 'string' ? traceparent.exec(header)?.slice(1).join('-') : undefined
}

function correlationIn(header: string | string[] | undefined): string | undefined {
  return isId(header) ? header.toLowerCase() : undefined
}
