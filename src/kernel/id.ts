import { createHash, randomUUIDv7 } from 'node:crypto'
import { nextCourseId } from './determinism.ts'

/** Ids are made in the application, so that an entity and its events know them before anything is written. */
export function newId(): string {
  return nextCourseId() ?? randomUUIDv7()
}

/** The id (a UUID of version 8) of something that has a name and is the same everywhere: a permission, a plan. */
export function idNamed(name: string): string {
  const hex = createHash('sha256').update(`daybook:${name}`).digest('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

export function isId(value: unknown): value is string {
  return typeof value === 'string' && uuid.test(value)
}
