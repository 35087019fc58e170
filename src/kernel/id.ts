import { randomUUIDv7 } from 'node:crypto'
import { nextCourseId } from './determinism.ts'

/** Ids are made in the application, so that an entity and its events know them before anything is written. */
export function newId(): string {
  return nextCourseId() ?? randomUUIDv7()
}

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

export function isId(value: unknown): value is string {
  return typeof value === 'string' && uuid.test(value)
}
