import { afterAll, beforeAll, expect, test } from 'vitest'
import { demoOrganizations } from '../../seeders/demo-data.ts'
import { seedDemo } from '../../seeders/seed-demo.ts'
import { userActor } from '../../src/context/index.ts'
import { Membership, Organization, organizationsOf, Role, signIn, User } from '../../src/entities.ts'
import type { Daybook } from '../../src/orm/index.ts'
import { openTestDaybook } from '../../src/testing/test-database.ts'

let daybook: Daybook
const password = 'the password of the demo'
const silently = { password, print: () => {} }

beforeAll(async () => {
  daybook = await openTestDaybook()
})
afterAll(() => daybook.close())

async function snapshot() {
  const rows: unknown[] = []
  for (const demo of demoOrganizations) {
    const signedIn = await signIn(daybook, { email: demo.owner.email, password })
    const [organization] = await organizationsOf(daybook, signedIn!.user.id)
    const em = daybook.scope({ tenant: organization!, actor: userActor(signedIn!.user) })
    const byId = { orderBy: { id: 'asc' } } as const
    const people = await em.find(User, {}, { ...byId, fields: ['id', 'email', 'name', 'locale', 'createdAt'] })
    rows.push(await em.find(Organization, {}), await em.find(Role, {}, byId), await em.find(Membership, {}, byId), people)
  }
  return JSON.stringify(rows)
}

test('seeding twice creates once, keeps what is there, and gives the same rows', async () => {
  const lines: string[] = []
  const first = await seedDemo(daybook, { password, print: line => lines.push(line) })
  expect(first.report.counts).toEqual({ created: 7, kept: 0, skipped: 0 })
  expect(lines).toHaveLength(7)
  const before = await snapshot()

  const second = await seedDemo(daybook, silently)
  expect(second.report.counts).toEqual({ created: 0, kept: 7, skipped: 0 })
  expect(second.password).toBeUndefined()
  expect(await snapshot()).toBe(before)
})

test('another database gets the same rows, ids and times included', async () => {
  const here = await snapshot()
  await using other = await openTestDaybook()
  await seedDemo(other, silently)
  const mine = daybook
  daybook = other
  const there = await snapshot().finally(() => (daybook = mine))
  expect(there).toBe(here)
})

test('the two organizations do not see each other', async () => {
  const [first, second] = await Promise.all(demoOrganizations.map(demo => signIn(daybook, { email: demo.owner.email, password })))
  const mine = await organizationsOf(daybook, first!.user.id)
  const theirs = await organizationsOf(daybook, second!.user.id)
  expect(mine.map(({ slug }) => slug)).toEqual(['demo-org'])
  expect(theirs.map(({ slug }) => slug)).toEqual(['enterprise-corp'])
  const em = daybook.scope({ tenant: mine[0]!, actor: userActor(first!.user) })
  expect(await em.count(User, {})).toBe(3)
  expect(await em.findOne(Organization, theirs[0]!.id)).toBeNull()
})

test('what belongs in another region is left out, and said', async () => {
  await using european = await openTestDaybook({ region: 'EU' })
  const lines: string[] = []
  const { report } = await seedDemo(european, { print: line => lines.push(line) })
  expect(report.counts).toEqual({ created: 4, kept: 0, skipped: 1 })
  expect(lines.find(line => line.includes('skipped'))).toContain('enterprise-corp: its data is kept in US')
})
