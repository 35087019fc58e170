import type { FastifyInstance } from 'fastify'
import { RequestInvalidError } from './http.errors.ts'

const bodyLimit = 256 * 1024

/** For those who call in: text as it came, whatever they call it, because a signature is over these very characters. */
export function acceptText(app: FastifyInstance): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser<string>('*', { parseAs: 'string', bodyLimit }, (_request, body, done) => done(null, body))
}

/** Whether it is the same body again isn't known before all of it is here; and the same file again is the same document anyway. */
const keyOnFile = { pointer: '#/idempotency-key', detail: 'is for requests whose body is JSON', in: 'headers' } as const

/** A body that is read by whoever takes it, as it comes in. */
export function acceptStream(app: FastifyInstance): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', (_request, payload, done) => done(null, payload))
  app.addHook('preValidation', async ({ method, headers }) => {
    if (method === 'POST' && headers['idempotency-key'] !== undefined) throw new RequestInvalidError([keyOnFile])
  })
}
