import { type EntityMetadata, type EntityProperty, ReferenceKind } from '@mikro-orm/core'
import { entityNameOf } from '../audit/index.ts'
import { ownsPivot, type ScopedEntityManager, tablesOf } from '../orm/index.ts'

/** A column that goes away, or is emptied, with the row that it points at. */
interface Pointer {
  /** In the words of the entity that points: `line.note`. */
  readonly name: string
  readonly table: string
  readonly column: string
  /** Whose rows they are. */
  readonly key: string
}

/** From where rows point at one, as far as the scope sees them, that its deletion would take along or change; but for those that go themselves. */
export async function referencesTo(em: ScopedEntityManager, meta: EntityMetadata, id: string, going: readonly string[]): Promise<string[]> {
  const pointers = pointersTo(meta.root, em)
  if (pointers.length === 0) return []
  const asked = pointers.map(
    ({ table, column, key }, place) =>
      `select ${place} as place where exists (select from "${table}" where "${column}" = ? and "${key}" <> all (?::uuid[]))`,
  )
  // A row that points at itself goes anyway.
  const gone = `{${[id, ...going].join(',')}}`
  const found = await em.execute<{ place: number }[]>(
    asked.join(' union all '),
    pointers.flatMap(() => [id, gone]),
  )
  return [...new Set(found.map(({ place }) => pointers[place]!.name))]
}

function pointersTo(target: EntityMetadata, em: ScopedEntityManager): Pointer[] {
  const metadata = em.getMetadata()
  const tables = new Set(tablesOf(metadata))
  const sources = [...metadata.getAll().values()].filter(({ root, pivotTable }) => tables.has(root) && !pivotTable)
  return sources.flatMap(({ root, relations }) =>
    relations
      .filter(({ targetMeta }) => targetMeta?.root === target)
      .flatMap((prop): Pointer[] => {
        const name = `${entityNameOf(root.className)}.${prop.name}`
        if (isActedUpon(prop)) return [{ name, table: root.tableName, column: prop.joinColumns[0]!, key: 'id' }]
        const pivot = ownsPivot(prop) ? metadata.find(prop.pivotEntity) : undefined
        return pivot?.pivotTable ? [{ name, table: pivot.tableName, column: prop.inverseJoinColumns[0]!, key: prop.joinColumns[0]! }] : []
      }),
  )
}

/** What is neither taken along nor emptied, the database refuses to leave without what it points at. */
function isActedUpon({ kind, owner, deleteRule = 'no action' }: EntityProperty): boolean {
  const points = kind === ReferenceKind.MANY_TO_ONE || (kind === ReferenceKind.ONE_TO_ONE && owner)
  return points && !['no action', 'restrict'].includes(deleteRule)
}
