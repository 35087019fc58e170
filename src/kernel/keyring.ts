import { sameDigest } from './secret.ts'
import { createCipheriv, createDecipheriv, createHash, createHmac, randomBytes } from 'node:crypto'

/**
 * Master keys, which never leave the process: they seal other keys, and secrets that must be read again. The first one seals; all of them
 * open, so a key is replaced by putting the new one in front.
 */
export class Keyring {
  readonly #keys: ReadonlyMap<string, Buffer>
  /** Derived, so that what one is used for tells nothing about the other. */
  readonly #signing: readonly Buffer[]
  readonly #first: string

  constructor(keys: readonly Buffer[]) {
    this.#keys = new Map(keys.map(key => [nameOf(key), key]))
    this.#signing = keys.map(key => createHmac('sha256', key).update('daybook signature').digest())
    this.#first = nameOf(keys[0]!)
  }

  /** `context` says what the secret belongs to; sealed for one, it can't be opened as another's. */
  seal(secret: Buffer, context: string): string {
    return `${this.#first}.${sealWith(this.#keys.get(this.#first)!, secret, context)}`
  }

  /** Undefined when it was sealed by a key that isn't here any more. */
  open(sealed: string, context: string): Buffer | undefined {
    const [name, text] = sealed.split('.') as [string, string]
    const key = this.#keys.get(name)
    return key && openWith(key, text, context)
  }

  /** Proves later that a text came from here, in this context. */
  sign(text: string, context: string): string {
    return mac(this.#signing[0]!, text, context)
  }

  isSigned(text: string, context: string, signature: string): boolean {
    return this.#signing.some(key => sameDigest(mac(key, text, context), signature))
  }

  /** A key of its own for a purpose, from each master key, the first one's first: what it is used for tells nothing of the master key. */
  derive(purpose: string): Buffer[] {
    return [...this.#keys.values()].map(key => createHmac('sha256', key).update(`daybook derived\n${purpose}`).digest())
  }

  /** Whether it was sealed by the first key. */
  isCurrent(sealed: string): boolean {
    return sealed.startsWith(`${this.#first}.`)
  }
}

export const keyBytes = 32
const ivBytes = 12
const tagBytes = 16

export function newKey(): Buffer {
  return randomBytes(keyBytes)
}

/** AES-256-GCM: initialization vector, ciphertext and tag, safe in a URL. */
export function sealWith(key: Buffer, secret: Buffer | string, context: string): string {
  const iv = randomBytes(ivBytes)
  const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(Buffer.from(context))
  const sealed = typeof secret === 'string' ? cipher.update(secret, 'utf8') : cipher.update(secret)
  return Buffer.concat([iv, sealed, cipher.final(), cipher.getAuthTag()]).toString('base64url')
}

/** Throws when the text was altered, or sealed with another key or for another context. */
export function openWith(key: Buffer, sealed: string, context: string): Buffer {
  const bytes = Buffer.from(sealed, 'base64url')
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, ivBytes), { authTagLength: tagBytes })
  decipher.setAAD(Buffer.from(context)).setAuthTag(bytes.subarray(-tagBytes))
  return Buffer.concat([decipher.update(bytes.subarray(ivBytes, -tagBytes)), decipher.final()])
}

/** Tells master keys apart without telling anything of them. */
function nameOf(key: Buffer): string {
  return createHash('sha256').update('daybook master key').update(key).digest('base64url').slice(0, 8)
}

function mac(key: Buffer, text: string, context: string): string {
  return createHmac('sha256', key).update(`${context}\n${text}`).digest('base64url').slice(0, 22)
}
