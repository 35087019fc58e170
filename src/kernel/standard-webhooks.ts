import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'

/** A message as Standard Webhooks has it: signed over its id, the time and the body, so that none of them can be exchanged. */
export interface SignedMessage {
  readonly id: string
  readonly at: Date
  readonly body: string
}

export type WebhookHeaders = Readonly<Record<'webhook-id' | 'webhook-timestamp' | 'webhook-signature', string>>

const toleranceMs = 5 * 60_000
const prefix = 'whsec_'

export function newWebhookSecret(): string {
  return prefix + randomBytes(32).toString('base64')
}

/** Signed with each secret, so that a receiver who has only the old or only the new one believes it while they are exchanged. */
export function webhookHeaders(message: SignedMessage, secrets: readonly string[]): WebhookHeaders {
  return {
    'webhook-id': message.id,
    'webhook-timestamp': String(secondsOf(message.at)),
    'webhook-signature': secrets.map(secret => `v1,${signatureOf(message, secret).toString('base64')}`).join(' '),
  }
}

/** Why a message isn't believed; undefined when it is. An old one isn't, so that nobody can send again what they once overheard. */
export function webhookDoubt(
  headers: Readonly<Record<string, string | readonly string[] | undefined>>,
  body: string,
  secrets: readonly string[],
  at: Date,
): string | undefined {
  const [id, timestamp, given] = ['webhook-id', 'webhook-timestamp', 'webhook-signature'].map(name => headers[name])
  if (typeof id !== 'string' || typeof timestamp !== 'string' || typeof given !== 'string') return 'its signature is missing'
  if (!/^\d{1,12}$/.test(timestamp)) return 'its time is none'
  const message = { id, at: new Date(Number(timestamp) * 1_000), body }
  const signatures = given.split(' ').flatMap(each => (each.startsWith('v1,') ? [Buffer.from(each.slice(3), 'base64')] : []))
  const isKnown = secrets.some(secret => {
    const expected = signatureOf(message, secret)
    return signatures.some(each => each.length === expected.length && timingSafeEqual(each, expected))
  })
  if (!isKnown) return 'its signature is not by our secret'
  return Math.abs(at.getTime() - message.at.getTime()) > toleranceMs ? 'it was signed too long ago' : undefined
}

function signatureOf({ id, at, body }: SignedMessage, secret: string): Buffer {
  const key = Buffer.from(secret.startsWith(prefix) ? secret.slice(prefix.length) : secret, 'base64')
  return createHmac('sha256', key)
    .update(`${id}.${secondsOf(at)}.${body}`)
    .digest()
}

function secondsOf(at: Date): number {
  return Math.floor(at.getTime() / 1_000)
}
