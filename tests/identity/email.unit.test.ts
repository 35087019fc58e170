import { expect, test } from 'vitest'
import { normalizeEmail } from '../../src/domain/identity/index.ts'

test('an address is kept in lower case, composed, without the spaces around it', () => {
  expect(normalizeEmail(' Zoe\u0301@Zenith.example ')).toBe('zoé@zenith.example')
})

test.each([
  ['a space of no width', 'zoe\u200b@zenith.example'],
  ['a turn of direction', '\u202ezoe@zenith.example'],
  ['a soft hyphen', 'zo\u00ade@zenith.example'],
  ['a filler', 'zoe\u3164@zenith.example'],
  ['a selector', 'zoe\ufe0f@zenith.example'],
  ['a line', 'zoe\u2028@zenith.example'],
  ['a tag', 'zoe\u{e0041}@zenith.example'],
])('an address with %s in it is none, for it would look like another', (_what, address) => {
  expect(() => normalizeEmail(address)).toThrow(expect.objectContaining({ code: 'identity.email_invalid' }))
})
