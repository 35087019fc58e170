import { type EntityProperty, ReferenceKind } from '@mikro-orm/core'
import { withPropertyNames } from '../audit/index.ts'
import type { ScopedEntityManager } from '../orm/index.ts'

/** A value of an event as the entity holds it: a moment is a Date again, bytes are bytes, an id is a reference. */
export function valueOf(em: ScopedEntityManager, prop: EntityProperty, told: unknown): unknown {
  if (told === null || told === undefined) return null
  if (prop.kind === ReferenceKind.EMBEDDED) return withPropertyNames(told, prop)
  if (prop.targetMeta && !prop.embeddable && !prop.mapToPk) return em.getReference(prop.targetMeta.class, told as never)
  const raw = asDriverGives(prop.columnTypes[0]!.toLowerCase(), told)
  return prop.customType ? prop.customType.convertToJSValue(raw, em.getPlatform()) : raw
}

function asDriverGives(type: string, told: unknown): unknown {
  if (type.startsWith('timestamp')) return new Date(told as string)
  if (type === 'bytea') return Buffer.from((told as string).slice(2), 'hex')
  if (/^(bigint|int8|numeric|decimal)/.test(type)) return String(told)
  return told
}

/** What stands at the end of a path through an entity and what is embedded in it. */
export function valueUnder(path: readonly string[], entity: object): unknown {
  return path.reduce<unknown>((holder, name) => (holder as Record<string, unknown> | null | undefined)?.[name], entity)
}
