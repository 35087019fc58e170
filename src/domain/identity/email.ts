import { comparable } from '../../kernel/seen-text.ts'
import { EmailInvalidError } from './identity.errors.ts'

const shape = /^[^\s@<>()"\\,;:\p{Cc}]+@[^\s@<>()"\\,;:\p{Cc}]+\.[^\s@.<>()"\\,;:\p{Cc}]{2,}$/u

/** Addresses are compared in lower case everywhere, which the database checks too. One with something in it that nobody sees is none. */
export function normalizeEmail(text: string): string {
  const email = comparable(text)
  if (email === undefined || email.length > 254 || !shape.test(email)) throw new EmailInvalidError()
  return email
}
