import type { FastifyInstance } from 'fastify'

const bodyLimit = 256 * 1024

/** For those who call in: text as it came, whatever they call it, because a signature is over these very characters. */
export function acceptText(app: FastifyInstance): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser<string>('*', { parseAs: 'string', bodyLimit }, (_request, body, done) => done(null, body))
}

/** A body that is read by whoever takes it, as it comes in. */
export function acceptStream(app: FastifyInstance): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', (_request, payload, done) => done(null, payload))
}
