import fc from 'fast-check'
import { expect, test } from 'vitest'
import { renderStep } from '../../src/entities.ts'

const email = {
  channel: 'EMAIL' as const,
  subject: 'For {{firstName}} of {{ company }}',
  bodyTemplate: '<p>Hello {{firstName}} {{lastName}}</p>',
}

test('a step is filled in with what is known, and nothing where nothing is', () => {
  expect(renderStep(email, { firstName: 'Ada', company: 'Engines', lastName: null })).toEqual({
    subject: 'For Ada of Engines',
    body: '<p>Hello Ada </p>',
  })
})

test('what stands in for a placeholder is text in an e-mail, and as it is elsewhere', () => {
  const firstName = `<script>alert("a" & 'b')</script>`
  expect(renderStep(email, { firstName }).body).toBe('<p>Hello &lt;script&gt;alert(&quot;a&quot; &amp; &#39;b&#39;)&lt;/script&gt; </p>')
  expect(renderStep({ channel: 'SMS', bodyTemplate: 'Hi {{firstName}}' }, { firstName })).toEqual({
    subject: null,
    body: `Hi ${firstName}`,
  })
})

test('a value brings no placeholder along', () => {
  const told = { firstName: '{{lastName}}', lastName: 'secret', company: '$&$1' }
  expect(renderStep(email, told)).toEqual({ subject: 'For {{lastName}} of $&$1', body: '<p>Hello {{lastName}} secret</p>' })
})

test('a subject stays on one line', () => {
  expect(renderStep(email, { firstName: 'Ada\r\nBcc: all@example.com', company: 'a\u2028b' }).subject).toBe(
    'For Ada Bcc: all@example.com of a b',
  )
})

test('nothing that a person is called becomes an element', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), firstName => {
      const body = renderStep({ ...email, bodyTemplate: '{{firstName}}' }, { firstName }).body
      expect(body).not.toMatch(/[<>"']/)
    }),
  )
})

test('an unknown placeholder is refused', () => {
  const attempt = () => renderStep({ ...email, bodyTemplate: '{{passwordHash}}' }, {})
  expect(attempt).toThrow(expect.objectContaining({ code: 'sales.placeholder_unknown' }))
})
