import {
  activateTenant,
  type Browser,
  changePassword,
  normalizeEmail,
  openSession,
  requestPasswordReset,
  resetPassword,
} from '../domain/identity/index.ts'
import type { Daybook } from '../orm/index.ts'
import type { App } from './app.ts'
import type { Person } from './principal.ts'
import { emailField, exactly, nothing, passwordField, tokenField } from './fields.ts'
import { hostOf } from './host-state.ts'
import { PasswordWrongError, TokenRefusedError } from './http.errors.ts'
import { passwordResetMail } from './mails.ts'
import { browserOf, personIn } from './person.ts'
import { guessable } from './rate-limits.ts'
import { clearSessionCookie, setSessionCookie } from './session-cookie.ts'

export function passwordRoutes(app: App): void {
  const { database, outbox } = hostOf(app)
  const config = { access: 'public', ...guessable } as const

  /** The same answer whether or not anybody has that address, and before it is looked up: not even its time tells. */
  app.post(
    '/auth/forgot-password',
    { config, schema: { body: exactly({ email: emailField() }), response: { 202: nothing() } } },
    async (request, reply) => {
      const email = normalizeEmail(request.body.email)
      outbox.sendWhatComesOf(async () => {
        const requested = await requestPasswordReset(database, { email, ip: request.ip })
        return requested && passwordResetMail(requested.user.email, requested.token, requested.user.locale)
      })
      return reply.code(202).send()
    },
  )

  app.post(
    '/auth/reset-password',
    { config, schema: { body: exactly({ token: tokenField(), password: passwordField() }), response: { 204: nothing() } } },
    async (request, reply) => {
      if (!(await resetPassword(database, request.body))) throw new TokenRefusedError()
      clearSessionCookie(reply)
      return reply.code(204).send()
    },
  )

  app.post(
    '/auth/change-password',
    { config: guessable, schema: { body: exactly({ current: passwordField(), password: passwordField() }), response: { 204: nothing() } } },
    async (request, reply) => {
      const person = personIn(request)
      if (!(await changePassword(database, { userId: person.user.id, ...request.body }))) throw new PasswordWrongError()
      const { session, token } = await continueSession(database, person, browserOf(request))
      setSessionCookie(reply, token, session.expires)
      return reply.code(204).send()
    },
  )
}

/** A new password ends every session, so the browser at hand gets another one. */
async function continueSession(database: Daybook, { user, session: before }: Person, browser: Browser) {
  const opened = await openSession(database, user, browser)
  if (before.activeTenantId) await activateTenant(database, opened.session, before.activeTenantId)
  return opened
}
