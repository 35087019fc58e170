import { expect, test } from 'vitest'
import { Organization } from '../../src/domain/organizations/index.ts'
import { assertSlug, slugBeside, slugOf } from '../../src/domain/organizations/internal.ts'

const at = new Date('2026-11-20T12:00:00Z')
const later = new Date('2026-11-21T12:00:00Z')

function organization(parts: Partial<Pick<Organization, 'status' | 'deletedAt'>> = {}): Organization {
  return Object.assign(new Organization(), { name: 'Firm', status: 'ACTIVE', deletedAt: null, ...parts })
}

const refused = (status: string) => expect.objectContaining({ code: 'organization.not_served', details: { status } })

test('a suspended organization is not served until it resumes', () => {
  const firm = organization()
  firm.suspend()
  expect(firm.isServed()).toBe(false)
  expect(() => firm.rename('Other')).toThrow(refused('SUSPENDED'))
  expect(() => firm.suspend()).toThrow(refused('SUSPENDED'))
  firm.resume()
  firm.rename('Other')
  expect(firm).toMatchObject({ name: 'Other', status: 'ACTIVE' })
})

test('a deleted organization can only be restored or closed, and comes back as it was', () => {
  const firm = organization({ status: 'SUSPENDED' })
  firm.softDelete(at)
  expect(firm.isServed()).toBe(false)
  for (const attempt of [() => firm.resume(), () => firm.rename('Other'), () => firm.suspend(), () => firm.softDelete(later)]) {
    expect(attempt).toThrow(refused('DELETED'))
  }
  expect(firm.deletedAt).toEqual(at)
  firm.restore()
  expect(firm).toMatchObject({ status: 'SUSPENDED', deletedAt: null })
})

test('a closed organization stays closed', () => {
  const firm = organization()
  firm.close(at)
  firm.close(later)
  for (const attempt of [() => firm.resume(), () => firm.restore(), () => firm.rename('Other'), () => firm.softDelete(later)]) {
    expect(attempt).toThrow(refused('CLOSED'))
  }
  expect(firm).toMatchObject({ status: 'CLOSED', deletedAt: at })
})

test.each([
  ['Société Générale', 'societe-generale'],
  ['  A & B, Inc. ', 'a-b-inc'],
  ['Ｆｕｌｌ ﬁne', 'full-fine'],
  ['x'.repeat(80), 'x'.repeat(50)],
  [`${'x'.repeat(49)} y`, 'x'.repeat(49)],
])('the slug of %j is %j', (name, slug) => {
  expect(slugOf(name)).toBe(slug)
  expect(assertSlug(slugBeside(slugOf(name)))).toMatch(new RegExp(`^${slug}-[0-9a-f]{8}$`))
})

test.each(['東京', '!!!', ''])('a name without Latin letters like %j has a slug all the same', name => {
  expect(assertSlug(slugOf(name))).toMatch(/^organization-[0-9a-f]{8}$/)
})

test.each(['', '-a', 'a-', 'a--b', 'A', 'a b', 'é', 'a\n', 'x'.repeat(64)])('%j is no slug', slug => {
  expect(() => assertSlug(slug)).toThrow(expect.objectContaining({ code: 'organization.slug_invalid' }))
})
