import { unsubscribe } from '../domain/commerce/index.ts'
import type { App } from './app.ts'
import { exactly, tokenField } from './fields.ts'
import type { PluginOptions } from './options.ts'
import { credentialLimit } from './rate-limits.ts'

/** One click in whichever mail program: it posts a form from anywhere, without a session (RFC 8058). */
export function newsletterRoutes(app: App, rateLimits: PluginOptions['rateLimits']): void {
  void app.register(async inner => {
    for (const form of ['application/x-www-form-urlencoded', 'multipart/form-data']) {
      // The token says everything; the form only says that somebody clicked.
      inner.addContentTypeParser(form, { parseAs: 'string', bodyLimit: 1_000 }, (_request, _body, done) => done(null, undefined))
    }
    const config = { access: 'public', isFromAnywhere: true, ...credentialLimit(rateLimits) } as const
    const schema = { querystring: exactly({ token: tokenField() }) }
    inner.post<{ Querystring: { token: string } }>('/newsletter/unsubscribe', { config, schema }, async (request, reply) => {
      await unsubscribe(app.daybook.database, request.query.token)
      return reply.code(204).send()
    })
  })
}
