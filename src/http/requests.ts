import type { FastifyPluginAsync } from 'fastify'
import { knownProblemOf } from './problem-of.ts'
import { sendProblem } from './answer-problems.ts'
import { authenticate } from './authentication.ts'
import { noticeAbandoned } from './client-signal.ts'
import { refuseCrossSite } from './cross-site.ts'
import { openHost } from './open-host.ts'
import type { MountOptions, RequestOptions } from './options.ts'

/**
 * For routes of one's own: whatever is added beside it asks for a credential, and does its work with `inTenant(request, permission, …)`.
 * What Daybook refuses is answered as a problem, every other error goes to the application's own handler. Register it in a context of its
 * own, for it holds for all routes of the one that it is registered in.
 */
export const daybookRequests: FastifyPluginAsync<RequestOptions & MountOptions> = async (instance, options) => {
  openHost(instance, options)
  noticeAbandoned(instance)
  instance.addHook('preParsing', refuseCrossSite)
  instance.addHook('preParsing', authenticate)
  instance.setErrorHandler((error, request, reply) => {
    const parts = knownProblemOf(error, options.problems)
    // Thrown from here it reaches the handler of the context around this one.
    if (!parts) throw error
    return sendProblem(parts, error, request, reply)
  })
}

// Its hooks are for the context that it is registered in, so it gets none of its own.
Object.assign(daybookRequests, { [Symbol.for('skip-override')]: true })
