import { expect, test } from 'vitest'
import {
  assertPasswordAcceptable,
  hashPassword,
  needsRehash,
  normalizeEmail,
  PasswordRefusedError,
  verifyPassword,
} from '../../src/domain/identity/index.ts'

test('a hash is Argon2id in its standard form, verifies its password and no other', async () => {
  const hash = await hashPassword('correct horse battery')
  expect(hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/)
  expect(await verifyPassword('correct horse battery', hash)).toBe(true)
  expect(await verifyPassword('correct horse batterz', hash)).toBe(false)
  expect(await hashPassword('correct horse battery')).not.toBe(hash)
})

test('the same letters in another Unicode form are the same password', async () => {
  const hash = await hashPassword('caf\u00e9 au lait noir')
  expect(await verifyPassword('cafe\u0301 au lait noir', hash)).toBe(true)
})

test('a hash with weaker parameters verifies and asks to be renewed', async () => {
  const { argon2Sync } = await import('node:crypto')
  const salt = Buffer.from('0123456789abcdef')
  const tag = argon2Sync('argon2id', { message: 'weak password', nonce: salt, memory: 64, passes: 1, parallelism: 1, tagLength: 32 })
  const unpadded = (bytes: Buffer) => bytes.toString('base64').replace(/=+$/, '')
  const weak = `$argon2id$v=19$m=64,t=1,p=1$${unpadded(salt)}$${unpadded(tag)}`
  expect(await verifyPassword('weak password', weak)).toBe(true)
  expect(needsRehash(weak)).toBe(true)
  expect(needsRehash(await hashPassword('a strong password'))).toBe(false)
})

test.each([
  '',
  'plain text',
  '$argon2id$v=19$m=4194304,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA',
  '$argon2id$v=19$m=19456,t=999,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA',
  '$argon2i$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA',
  '$argon2id$v=19$m=19456,t=0,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA',
])('a planted or broken hash %j verifies nothing and costs nothing', async hash => {
  const started = performance.now()
  expect(await verifyPassword('whatever it is', hash)).toBe(false)
  expect(performance.now() - started).toBeLessThan(20)
})

test.each(['short', '123456789', 'aaaaaaaaaaaa', 'password1234', 'ababababab', 'x'.repeat(257)])('the password %j is refused', password => {
  expect(() => assertPasswordAcceptable(password)).toThrow(PasswordRefusedError)
})

test.each(['a sentence will do', 'x9$k2!m4q7', '長い秘密の言葉ですよね'])('the password %j is taken', password => {
  expect(() => assertPasswordAcceptable(password)).not.toThrow()
})

test('an address is compared in lower case without space around it', () => {
  expect(normalizeEmail('  Ann.Lee@Example.COM ')).toBe('ann.lee@example.com')
})

test.each([
  '',
  'ann',
  'ann@',
  '@example.com',
  'ann@example',
  'a b@example.com',
  'ann@exa\u0000mple.com',
  `${'a'.repeat(250)}@example.com`,
  'a@b@c.com',
])('%j is no address', text => {
  expect(() => normalizeEmail(text)).toThrow('not an e-mail address')
})
