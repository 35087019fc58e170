import { expect, test } from 'vitest'
import { User } from '../../src/domain/identity/index.ts'

const start = new Date('2026-03-01T12:00:00Z')
const minutes = (count: number) => new Date(start.getTime() + count * 60_000)

function personWith(attempts: number): User {
  const user = Object.assign(new User(), { status: 'ACTIVE', failedLoginCount: 0 })
  for (let count = 0; count < attempts; count++) user.recordAttempt(start)
  return user
}

test('four failures lock nobody out, the fifth does', () => {
  expect(personWith(4).canSignIn(start)).toBe(true)
  expect(personWith(5).canSignIn(start)).toBe(false)
})

test.each([
  [5, 15],
  [6, 30],
  [7, 60],
  [11, 960],
  [12, 1440],
  [40, 1440],
])('after %i failures the lock lasts %i minutes', (attempts, length) => {
  const user = personWith(attempts)
  expect(user.canSignIn(minutes(length - 1))).toBe(false)
  expect(user.canSignIn(minutes(length))).toBe(true)
})

test('signing in forgets the failures', () => {
  const user = personWith(5)
  user.recordSignIn(minutes(20))
  expect(user).toMatchObject({ failedLoginCount: 0, lockedUntil: null, lastLoginAt: minutes(20) })
})

test.each(['INVITED', 'LOCKED', 'DISABLED'] as const)('a person who is %s can not sign in', status => {
  expect(Object.assign(personWith(0), { status }).canSignIn(start)).toBe(false)
})

test('a deleted person can not sign in', () => {
  expect(Object.assign(personWith(0), { deletedAt: start }).canSignIn(start)).toBe(false)
})
