import { courseTime } from './determinism.ts'

export function now(): Date {
  return new Date(courseTime() ?? Date.now())
}

/** The moment for which something runs, or now where that has gone by: a run that goes through many tenants began a while ago. */
export function latest(at: Date): Date {
  return new Date(Math.max(at.getTime(), now().getTime()))
}
