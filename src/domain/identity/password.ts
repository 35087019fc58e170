import { argon2, type Argon2Parameters, randomBytes, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import { PasswordRefusedError } from './identity.errors.ts'

const derive = promisify(argon2)

/** What OWASP recommends for Argon2id with little memory: 19 MiB, two passes. */
const cost = { memory: 19_456, passes: 2, parallelism: 1, tagLength: 32 } as const

/** More than this a stored hash may not ask for, so that a planted one can't burn the server's memory. */
const ceiling = { memory: 262_144, passes: 10, parallelism: 4, tagLength: 64 } as const

type Cost = { readonly [K in keyof typeof cost]: number }

interface StoredHash extends Cost {
  readonly salt: Buffer
  readonly tag: Buffer
}

/** An Argon2id hash in the standard string form, which carries its own parameters and salt. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(16)
  const tag = await tagOf(password, salt, cost)
  return `$argon2id$v=19$m=${cost.memory},t=${cost.passes},p=${cost.parallelism}$${unpadded(salt)}$${unpadded(tag)}`
}

export async function verifyPassword(password: string, hash: string): Promise<boolean> {
  const stored = parse(hash)
  if (!stored) return false
  return timingSafeEqual(await tagOf(password, stored.salt, stored), stored.tag)
}

/** True for a hash that was made with other parameters than today's; it is renewed when its person signs in. */
export function needsRehash(hash: string): boolean {
  const stored = parse(hash)
  return !stored || (Object.keys(cost) as (keyof Cost)[]).some(key => stored[key] !== cost[key])
}

const commonest = new Set(
  '1234567890 0987654321 1111111111 qwertyuiop password12 password123 password1234 qwerty123456 iloveyou12 abcdefghij administrator welcome123 letmein123'.split(
    ' ',
  ),
)

/** Length is what counts; the commonest are refused, composition rules there are none. */
export function assertPasswordAcceptable(password: string): void {
  const { length } = Array.from(password)
  if (length < 10) throw new PasswordRefusedError('it has fewer than 10 characters')
  if (length > 256) throw new PasswordRefusedError('it has more than 256 characters')
  if (commonest.has(password.toLowerCase()) || new Set(password).size < 3)
    throw new PasswordRefusedError('it is among those that are tried first')
}

async function tagOf(password: string, nonce: Buffer, { memory, passes, parallelism, tagLength }: Cost): Promise<Buffer> {
  const parameters: Argon2Parameters = { message: password.normalize('NFKC'), nonce, memory, passes, parallelism, tagLength }
  return derive('argon2id', parameters)
}

const form = /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,3}),p=(\d{1,3})\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{22,86})$/

function parse(hash: string): StoredHash | undefined {
  const match = form.exec(hash)
  if (!match) return undefined
  const [memory, passes, parallelism] = match.slice(1, 4).map(Number) as [number, number, number]
  const [salt, tag] = match.slice(4).map(text => Buffer.from(text, 'base64')) as [Buffer, Buffer]
  const stored = { memory, passes, parallelism, tagLength: tag.length, salt, tag }
  const tooDear = (Object.keys(ceiling) as (keyof Cost)[]).some(key => stored[key] > ceiling[key])
  return tooDear || passes < 1 || parallelism < 1 || memory < 8 * parallelism ? undefined : stored
}

function unpadded(bytes: Buffer): string {
  return bytes.toString('base64').replace(/=+$/, '')
}
