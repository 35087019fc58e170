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
  [10, 30],
  [15, 60],
  [20, 60],
  [10_000, 60],
])('after %i failures the lock lasts %i minutes', (attempts, length) => {
  const user = personWith(attempts)
  expect(user.canSignIn(minutes(length - 1))).toBe(false)
  expect(user.canSignIn(minutes(length))).toBe(true)
})

test('one failure after a lock keeps nobody out, the fifth does so for twice as long', () => {
  const user = personWith(5)
  for (let count = 0; count < 4; count++) user.recordAttempt(minutes(15))
  expect(user.canSignIn(minutes(15))).toBe(true)
  user.recordAttempt(minutes(15))
  expect(user.canSignIn(minutes(44))).toBe(false)
  expect(user.canSignIn(minutes(45))).toBe(true)
})

test('a lock that was over for a day doesn’t make the next one longer', () => {
  const user = personWith(10)
  const dayAfter = minutes(30 + 24 * 60)
  for (let count = 0; count < 5; count++) user.recordAttempt(dayAfter)
  expect(user.failedLoginCount).toBe(5)
  expect(user.lockedUntil).toEqual(new Date(dayAfter.getTime() + 15 * 60_000))
})

test('somebody who guesses as fast as the locks let them has 120 attempts a day', () => {
  const user = personWith(0)
  let guesses = 0
  for (let minute = 0; minute < 3 * 24 * 60; minute++) {
    for (; user.canSignIn(minutes(minute)); guesses++) user.recordAttempt(minutes(minute))
  }
  expect(guesses).toBeLessThanOrEqual(3 * 120 + 10)
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
