import { courseTime } from './determinism.ts'

export function now(): Date {
  return new Date(courseTime() ?? Date.now())
}
