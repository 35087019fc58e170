import { hash, randomBytes, timingSafeEqual } from 'node:crypto'

/** 256 random bits, safe in a URL and in a cookie. Shown once; only its digest is stored. */
export function newSecret(): string {
  return randomBytes(32).toString('base64url')
}

/**
 * What is stored of a secret that we made ourselves. With 256 bits of entropy there is nothing to guess, so a plain SHA-256 is enough;
 * passwords, which people choose, go through Argon2id instead.
 */
export function digest(secret: string): string {
  return hash('sha256', secret, 'hex')
}

/** Compares two digests without telling by its duration where they differ. */
export function sameDigest(a: string, b: string): boolean {
  const left = Buffer.from(a)
  const right = Buffer.from(b)
  return left.length === right.length && timingSafeEqual(left, right)
}
