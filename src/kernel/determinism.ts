import { AsyncLocalStorage } from 'node:async_hooks'
import { createHash } from 'node:crypto'

interface Course {
  readonly seed: string
  readonly startsAt: number
  steps: number
}

const course = new AsyncLocalStorage<Course>()

/**
 * Runs `work` with ids and moments that follow from `seed` alone, so that seeding twice gives the same rows. Secrets stay random: whoever
 * knows a seed must not know a password hash's salt or a key.
 */
export function runDeterministically<T>(seed: string, startsAt: Date, work: () => Promise<T>): Promise<T> {
  return course.run({ seed, startsAt: startsAt.getTime(), steps: 0 }, work)
}

/** The next id on a deterministic course. Undefined outside of one. */
export function nextCourseId(): string | undefined {
  const current = course.getStore()
  return current && idAt(current.seed, ++current.steps, current.startsAt + current.steps)
}

/** A UUIDv7 of a moment (milliseconds) whose random part is a digest: the same for the same seed and number. */
export function idAt(seed: string, number: number, moment: number): string {
  const time = moment.toString(16).padStart(12, '0')
  const hex = createHash('sha256').update(`${seed}:${number}`).digest('hex')
  return `${time.slice(0, 8)}-${time.slice(8)}-7${hex.slice(0, 3)}-a${hex.slice(3, 6)}-${hex.slice(6, 18)}`
}

export function courseTime(): number | undefined {
  const current = course.getStore()
  return current && current.startsAt + current.steps
}
