import type { Locale } from '../../domain/identity/index.ts'
import type { InvalidPart } from '../http.errors.ts'
import type { Mail } from '../mailer.ts'
import type { ProblemParts } from '../problem-parts.ts'

export type MailText = Pick<Mail, 'subject' | 'text'>

/** All that the host says to people, in one language. What programs read is the same in all of them. */
export interface Language {
  readonly tag: Locale
  readonly title: (status: number) => string
  readonly detail: (parts: ProblemParts) => string
  readonly complaint: (part: InvalidPart) => string
  readonly mails: {
    readonly verification: (token: string) => MailText
    readonly passwordReset: (token: string) => MailText
    readonly invitation: (organization: string, token: string) => MailText
    /** With a link where the host knows under which address people reach it. */
    readonly newsletter: (organization: string, token: string, link?: string) => MailText
  }
  /** What the pages behind a newsletter's links say. */
  readonly newsletter: Readonly<Record<'confirm' | 'unsubscribe', { readonly ask: string; readonly button: string; readonly done: string }>>
}
