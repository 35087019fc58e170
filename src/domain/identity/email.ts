import { EmailInvalidError } from './identity.errors.ts'

const shape = /^[^\s@<>()"\\,;:\p{Cc}]+@[^\s@<>()"\\,;:\p{Cc}]+\.[^\s@.<>()"\\,;:\p{Cc}]{2,}$/u
/** What nobody sees: with it, or written backwards, an address would look like somebody else's. */
const unseen = /[\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u

/** Addresses are compared in lower case everywhere, which the database checks too. */
export function normalizeEmail(text: string): string {
  const email = text.trim().normalize('NFC').toLowerCase()
  if (email.length > 254 || !shape.test(email) || unseen.test(email)) throw new EmailInvalidError()
  return email
}
