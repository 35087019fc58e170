import { Type } from 'typebox'
import { systemActor } from '../context/index.ts'
import { confirmSubscription, subscriberStatuses, subscribeToNewsletter, unsubscribe } from '../domain/commerce/index.ts'
import { isServedHere, ownOrganization } from '../domain/organizations/internal.ts'
import type { App } from './app.ts'
import { emailField, exactly, idField, nothing, oneOf, textAnswer, tokenField } from './fields.ts'
import { hostOf } from './host-state.ts'
import { ResourceNotFoundError } from './http.errors.ts'
import { newsletterMail } from './mails.ts'
import { askOnPage, tellOnPage, wantsPage } from './newsletter-pages.ts'
import type { PluginOptions } from './options.ts'
import { guessable } from './rate-limits.ts'
import { storyOf } from './request-story.ts'
import { fromOutside } from './in-tenant.ts'

const subscribeBody = exactly({
  email: emailField(),
  locale: Type.Optional(Type.String({ maxLength: 35, pattern: '^[A-Za-z]{2,8}([_-][A-Za-z0-9]{1,8})*$' })),
  source: Type.Optional(Type.String({ minLength: 1, maxLength: 100 })),
})

export function newsletterRoutes(app: App, { publicUrl }: Pick<PluginOptions, 'publicUrl'>): void {
  const { database, outbox } = hostOf(app)

  app.post(
    '/newsletters/:organization/subscriptions',
    {
      // A form on the organization's own pages sends it, wherever those are.
      config: { access: 'public', anySite: true, ...guessable },
      schema: {
        summary: 'ask for a newsletter',
        description: 'Mails a token with which to confirm. The answer is the same whether the address is known or not.',
        params: exactly({ organization: idField() }),
        body: subscribeBody,
        response: { 202: nothing() },
      },
    },
    async (request, reply) => {
      const { email, locale, source = 'website' } = request.body
      const tenant = request.params.organization.toLowerCase()
      const scope = { tenant, actor: systemActor('newsletter'), ...storyOf(request.id, request.headers) }
      const subscribe = () =>
        database.transact(scope, async em => {
          const organization = await ownOrganization(em)
          if (!organization?.isServed() || !isServedHere(organization, database.region)) throw new ResourceNotFoundError('organization')
          const language = locale ?? organization.defaultLocale
          const token = await subscribeToNewsletter(em, { email, source, locale: language })
          return token === undefined ? undefined : newsletterMail(email, organization, { token, locale: language, publicUrl })
        })
      const mail = await fromOutside(request, tenant, subscribe)
      if (mail) outbox.send(mail)
      return reply.code(202).send()
    },
  )
}

const links = {
  confirm: { summary: 'confirm a subscription', done: confirmSubscription },
  unsubscribe: { summary: 'leave a newsletter', done: unsubscribe },
} as const
const page = textAnswer('text/html')
const left = exactly({ status: oneOf([...subscriberStatuses]) })
const tokenQuery = exactly({ token: tokenField() })
const form = { types: ['application/x-www-form-urlencoded', 'multipart/form-data'], schema: { type: 'object', additionalProperties: true } }

/**
 * What the links in mails do, for people who have no account. Opening one changes nothing, because programs that look into mails open it too:
 * it shows a page with a button. What counts is the POST, from that page or, in one click, from the mail program (RFC 8058).
 */
export function newsletterLinkRoutes(app: App): void {
  const { database } = hostOf(app)
  for (const name of ['confirm', 'unsubscribe'] as const) {
    const { summary, done } = links[name]
    const url = `/newsletters/${name}`

    app.get(
      url,
      { config: { access: 'public' }, schema: { summary: `${summary}: ask first`, querystring: tokenQuery, response: { 200: page } } },
      (request, reply) => askOnPage(request, reply, name),
    )

    app.post(
      url,
      {
        config: { access: 'public', anySite: true, requestBody: form, ...guessable },
        schema: {
          summary,
          querystring: tokenQuery,
          response: { 200: { content: { ...page.content, 'application/json': { schema: left } } } },
        },
      },
      async (request, reply) => {
        const { status } = await done(database, request.query.token)
        return wantsPage(request) ? tellOnPage(request, reply, name) : reply.send({ status })
      },
    )
  }
}
