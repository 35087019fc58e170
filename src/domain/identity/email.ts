import { EmailInvalidError } from './identity.errors.ts'

const shape = /^[^\s@<>()"\\,;:\p{Cc}]+@[^\s@<>()"\\,;:\p{Cc}]+\.[^\s@.<>()"\\,;:\p{Cc}]{2,}$/u

/** Addresses are compared in lower case everywhere, which the database checks too. */
export function normalizeEmail(text: string): string {
  const email = text.trim().normalize('NFC').toLowerCase()
  if (email.length > 254 || !shape.test(email)) throw new EmailInvalidError()
  return email
}
