import { expect, test } from 'vitest'
import { digest, newSecret, sameDigest } from '../../src/kernel/secret.ts'

test('a secret holds 256 bits in letters that a URL carries', () => {
  const secret = newSecret()
  expect(Buffer.from(secret, 'base64url')).toHaveLength(32)
  expect(secret).toMatch(/^[\w-]{43}$/)
  expect(newSecret()).not.toBe(secret)
})

test('a digest is the same for the same secret and tells nothing of it', () => {
  const secret = newSecret()
  expect(digest(secret)).toBe(digest(secret))
  expect(digest(secret)).toMatch(/^[0-9a-f]{64}$/)
  expect(digest(secret)).not.toContain(secret)
})

test('digests compare equal only when they are', () => {
  const one = digest('one')
  expect(sameDigest(one, digest('one'))).toBe(true)
  expect(sameDigest(one, digest('two'))).toBe(false)
  expect(sameDigest(one, one.slice(1))).toBe(false)
})
