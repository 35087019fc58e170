import { type EntityClass, type EntityMetadata, ReferenceKind } from '@mikro-orm/core'
import type { RowData } from '../../../src/testing/index.ts'
import { collectionOf, rowFor, type SignedUp, type TestHost, wholeResources } from '../test-host.ts'

/** Stands in every text that a constraint lets it stand in, and in nobody else's rows. */
export const marker = 'zq7xmarkerzq7x'

export interface MarkedRows {
  /** By the collection that they stand in. */
  readonly ids: Readonly<Record<string, string>>
  /** How many fields hold the marker. */
  readonly marked: number
}

export async function plantMarkers(on: TestHost, whose: SignedUp): Promise<MarkedRows> {
  const ids: Record<string, string> = {}
  let marked = 0
  for (const { entity } of wholeResources) {
    const meta = on.daybook.orm.getMetadata().get(entity)
    const planted = await plant(on, whose, meta)
    ids[collectionOf(on, entity)] = planted.id
    marked += planted.fields
  }
  return { ids, marked }
}

/** With as many of its fields marked as its constraints let be: all of them, or else one after the other. */
async function plant(on: TestHost, whose: SignedUp, meta: EntityMetadata): Promise<{ id: string; fields: number }> {
  const names = fieldsToMark(meta)
  const make = async (fields: readonly string[]) => rowFor(on, whose, meta.class as EntityClass<object>, marksFor(meta, fields))
  const whole = await make(names).catch(() => undefined)
  if (whole) return { id: whole, fields: names.length }
  let kept: string[] = []
  let id = await make([])
  for (const name of names) {
    const more = await make([...kept, name]).catch(() => undefined)
    if (more) [kept, id] = [[...kept, name], more]
  }
  return { id, fields: kept.length }
}

function fieldsToMark(meta: EntityMetadata): string[] {
  return meta.props
    .filter(
      ({ kind, persist, items, generated, name }) =>
        kind === ReferenceKind.SCALAR && persist !== false && !items && !generated && name !== 'id',
    )
    .filter(({ columnTypes: [type = ''] }) => /^(text|varchar|jsonb?)/.test(type) && !type.endsWith('[]'))
    .map(({ name }) => name)
}

let rows = 0

function marksFor(meta: EntityMetadata, names: readonly string[]): RowData {
  const row = ++rows
  return Object.fromEntries(names.map(name => [name, markFor(meta, name, row)]))
}

function markFor(meta: EntityMetadata, name: string, row: number): unknown {
  if (meta.properties[name as never]!.columnTypes[0]!.startsWith('json')) return { [marker]: marker }
  return /email/i.test(name) ? `${marker}.${row}@zenith.example` : `${marker}-${row}`
}
