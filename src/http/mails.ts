import { languageNamed } from './languages/index.ts'
import type { Mail } from './mailer.ts'

/** Each mail is in the language of whoever reads it, as far as that is known. */
export function verificationMail(to: string, token: string, locale: string): Mail {
  return { to, ...languageNamed(locale).mails.verification(token) }
}

export function passwordResetMail(to: string, token: string, locale: string): Mail {
  return { to, ...languageNamed(locale).mails.passwordReset(token) }
}

/** Nobody knows what a stranger reads, so it is what the organization speaks. */
export function invitationMail(to: string, organization: { readonly name: string; readonly defaultLocale: string }, token: string): Mail {
  return { to, ...languageNamed(organization.defaultLocale).mails.invitation(oneLine(organization.name), token) }
}

/** To somebody of whom nothing is known but the address. The link opens a page; without one a program has to send the token. */
export function newsletterMail(
  to: string,
  { name }: { readonly name: string },
  { token, locale, publicUrl }: { readonly token: string; readonly locale: string; readonly publicUrl: string | undefined },
): Mail {
  const link = publicUrl && `${publicUrl.replace(/\/+$/, '')}/newsletters/confirm?token=${token}`
  return { to, ...languageNamed(locale).mails.newsletter(oneLine(name), token, link) }
}

/** A name with a line break in it would write headers of its own. */
function oneLine(text: string): string {
  return text.replaceAll(/\p{Cc}+/gu, ' ').slice(0, 120)
}
