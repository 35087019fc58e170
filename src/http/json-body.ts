import type { FastifyInstance } from 'fastify'
import { isTooDeep } from '../kernel/json-depth.ts'
import { bodyLimit } from './options.ts'
import { tooDeep } from './validation.ts'

/** JSON and nothing else. An empty body is no body, so that a program may say `application/json` on every request. */
export function acceptJsonOnly(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error')
  app.removeAllContentTypeParsers()
  app.addContentTypeParser<string>('application/json', { parseAs: 'string', bodyLimit }, (request, body, done) => {
    if (body === '') done(null, undefined)
    else if (isTooDeep(body)) done(tooDeep())
    else void parse(request, body, done)
  })
}
