import { Type } from 'typebox'
import { registerOrganization } from '../domain/access/index.ts'
import { ensureBuiltinWork } from '../domain/work/index.ts'
import {
  activateTenant,
  locales,
  requestEmailVerification,
  signIn,
  signOut,
  signOutEverywhere,
  type User,
  verifyEmail,
} from '../domain/identity/index.ts'
import { dataRegions, organizationsOf } from '../domain/organizations/index.ts'
import { isServedHere } from '../domain/organizations/internal.ts'
import type { App } from './app.ts'
import { emailField, exactly, nameField, nothing, nullable, oneOf, passwordField, tokenField } from './fields.ts'
import { hostOf, type HostState } from './host-state.ts'
import { SignInRefusedError, TokenRefusedError } from './http.errors.ts'
import { fromOutside } from './in-tenant.ts'
import { languageAsked } from './languages/index.ts'
import { verificationMail } from './mails.ts'
import { browserOf, personIn } from './person.ts'
import { guessable } from './rate-limits.ts'
import { clearSessionCookie, setSessionCookie } from './session-cookie.ts'
import { organizationAnswer, organizationView, ownUserAnswer, ownUserView } from './views.ts'

const newOrganization = exactly({
  name: nameField(),
  slug: Type.Optional(Type.String({ minLength: 1, maxLength: 63 })),
  dataRegion: Type.Optional(oneOf(dataRegions)),
})
const signUpBody = exactly({
  email: emailField(),
  password: passwordField(),
  name: Type.Optional(nameField()),
  /** The language that the request asks for, when it is left out; the organization speaks it too. */
  locale: Type.Optional(oneOf(locales)),
  organization: newOrganization,
})
const signUpAnswer = exactly({ user: ownUserAnswer, organization: organizationAnswer })
const signInBody = exactly({ email: emailField(), password: passwordField() })
const signInAnswer = exactly({ user: ownUserAnswer, activeOrganization: nullable(Type.String()) })

export function signInRoutes(app: App): void {
  const daybook = hostOf(app)
  const config = { access: 'public', ...guessable } as const

  app.post('/auth/sign-up', { config, schema: { body: signUpBody, response: { 201: signUpAnswer } } }, async (request, reply) => {
    const { locale = languageAsked(request) ?? 'en', organization: wanted, ...person } = request.body
    const registration = { ...person, locale, organization: { ...wanted, defaultLocale: locale } }
    const { user, organization } = await fromOutside(request, 'sign-up', () =>
      registerOrganization(daybook.database, registration, ensureBuiltinWork),
    )
    await sendVerification(daybook, user)
    return reply.code(201).send({ user: ownUserView(user), organization: organizationView(organization) })
  })

  app.post('/auth/sign-in', { config, schema: { body: signInBody, response: { 200: signInAnswer } } }, async (request, reply) => {
    const signedIn = await signIn(daybook.database, { ...request.body, ...browserOf(request) })
    if (!signedIn) throw new SignInRefusedError()
    setSessionCookie(reply, signedIn.token, signedIn.session.expires)
    const organizations = await organizationsOf(daybook.database, signedIn.user.id)
    const first = organizations.find(each => each.isServed() && isServedHere(each, daybook.database.region))
    if (first) await activateTenant(daybook.database, signedIn.session, first.id)
    return { user: ownUserView(signedIn.user), activeOrganization: first?.id ?? null }
  })

  app.post('/auth/sign-out', { schema: { response: { 204: nothing() } } }, async (request, reply) => {
    await signOut(daybook.database, personIn(request).token)
    clearSessionCookie(reply)
    return reply.code(204).send()
  })

  app.post(
    '/auth/sign-out-everywhere',
    { schema: { response: { 200: exactly({ sessions: Type.Integer() }) } } },
    async (request, reply) => {
      const sessions = await signOutEverywhere(daybook.database, personIn(request).user.id)
      clearSessionCookie(reply)
      return { sessions }
    },
  )

  app.post('/auth/verify-email/request', { config: guessable, schema: { response: { 202: nothing() } } }, async (request, reply) => {
    await sendVerification(daybook, personIn(request).user)
    return reply.code(202).send()
  })

  app.post(
    '/auth/verify-email',
    { config, schema: { body: exactly({ token: tokenField() }), response: { 200: exactly({ user: ownUserAnswer }) } } },
    async request => {
      const user = await verifyEmail(daybook.database, request.body.token)
      if (!user) throw new TokenRefusedError()
      return { user: ownUserView(user) }
    },
  )
}

async function sendVerification({ database, outbox }: HostState, user: User): Promise<void> {
  if (user.emailVerified) return
  outbox.send(verificationMail(user.email, await requestEmailVerification(database, user), user.locale))
}
