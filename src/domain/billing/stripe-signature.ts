import { createHmac, timingSafeEqual } from 'node:crypto'
import { SignatureRefusedError } from './billing.errors.ts'

const toleranceMs = 5 * 60_000

/**
 * Believes a webhook of Stripe's or refuses it: the header holds a time and, for each secret that is in use, an HMAC of time and body. An old
 * time is refused too, so that nobody can send again what they once overheard.
 */
export function assertStripeSignature(body: string, header: string, secrets: readonly string[], at: Date): void {
  const parts = header.split(',').map(part => part.trim().split('=', 2) as [string, string | undefined])
  const time = parts.find(([name]) => name === 't')?.[1]
  const given = parts.flatMap(([name, value]) => (name === 'v1' && value ? [Buffer.from(value, 'hex')] : []))
  if (!time || given.length === 0) throw new SignatureRefusedError('its signature is missing or malformed')
  const isKnown = secrets.some(secret => {
    const expected = createHmac('sha256', secret).update(`${time}.${body}`).digest()
    return given.some(each => each.length === expected.length && timingSafeEqual(each, expected))
  })
  if (!isKnown) throw new SignatureRefusedError('its signature is not by our secret')
  if (Math.abs(at.getTime() - Number(time) * 1_000) > toleranceMs) throw new SignatureRefusedError('it was signed too long ago')
}
