import { expect, test } from 'vitest'
import { Keyring, newKey, openWith, sealWith } from '../../src/kernel/keyring.ts'

const secret = Buffer.from('what nobody may know')

test('what a keyring sealed it opens, for the same context alone', () => {
  const keyring = new Keyring([newKey()])
  const sealed = keyring.seal(secret, 'here')
  expect(sealed).not.toContain('nobody')
  expect(keyring.open(sealed, 'here')).toEqual(secret)
  expect(() => keyring.open(sealed, 'there')).toThrow()
})

test('the first key seals and all open, so that a key can be replaced', () => {
  const [old, current] = [newKey(), newKey()]
  const before = new Keyring([old]).seal(secret, 'here')
  const both = new Keyring([current, old])
  expect(both.open(before, 'here')).toEqual(secret)
  expect(both.isCurrent(before)).toBe(false)
  expect(both.isCurrent(both.seal(secret, 'here'))).toBe(true)
  expect(new Keyring([current]).open(before, 'here')).toBeUndefined()
})

test('the same secret looks different each time, and one that was altered is refused', () => {
  const key = newKey()
  const sealed = sealWith(key, 'é', 'c')
  expect(sealWith(key, 'é', 'c')).not.toBe(sealed)
  expect(openWith(key, sealed, 'c').toString()).toBe('é')
  const bytes = Buffer.from(sealed, 'base64url')
  for (const place of [0, 12, bytes.length - 1]) {
    const altered = Buffer.from(bytes)
    altered[place]! ^= 1
    expect(() => openWith(key, altered.toString('base64url'), 'c')).toThrow()
  }
  expect(() => openWith(newKey(), sealed, 'c')).toThrow()
})
