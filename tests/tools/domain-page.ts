import { type EntityMetadata, type EntityProperty, MikroORM, ReferenceKind } from '@mikro-orm/core'
import { modelWith } from '../../src/model.ts'
import { declarationOf, embeddedOptions, isTenantOwned } from '../../src/orm/index.ts'
import { type Area, areas, type Described } from './domain-source.ts'

const introduction = `# The domain

Each area with its entities, generated from their metadata by \`npm run docs:domain\`; \`npm run check\` fails when this page isn't current.

Every row has \`id\` (a UUID that grows with time), \`createdAt\` and \`updatedAt\`; a tenant's row has \`tenantId\`, which starts each of its unique
constraints. They aren't repeated below. \`?\` marks what may be missing, → a reference, *italics* what the log keeps sealed under a person's key and
~~struck out~~ what it never keeps. Diagrams show references; those to other areas end at the entity's name.
`

/** The whole page, from metadata and from what the classes say of themselves. No database is opened. */
export function domainPage(): string {
  const metas = metadata()
  const chapters = areas().map(area => chapter(area, metas))
  const contents = areas().map(({ title, entities }) => {
    const names = [...entities.keys()].filter(name => metas.has(name)).map(name => `[${name}](#${name.toLowerCase()})`)
    return `- [${title}](#area-${title.toLowerCase()}): ${names.join(', ')}`
  })
  return [introduction, contents.join('\n'), ...chapters].join('\n').trimEnd() + '\n'
}

type Metas = ReadonlyMap<string, EntityMetadata>

/** The whole model as the ORM knows it, without a database. */
export function metadata(): Metas {
  const orm = new MikroORM(
    embeddedOptions(modelWith(), () => Promise.reject(new Error('Nothing is asked of a database here.')), { queries: false }),
  )
  const all = [...orm.getMetadata().getAll().values()]
  return new Map(all.filter(meta => meta.tableName && !meta.pivotTable).map(meta => [meta.className, meta]))
}

function chapter(area: Area, metas: Metas): string {
  const present = [...area.entities].flatMap(([name, described]) => (metas.has(name) ? [[metas.get(name)!, described] as const] : []))
  const diagram = ['```mermaid', 'erDiagram', ...present.flatMap(([meta]) => relationsOf(meta)), '```']
  return [
    `\n## Area: ${area.title}\n`,
    `${upperFirst(area.text)}\n`,
    ...diagram,
    ...present.map(([meta, described]) => section(meta, described)),
  ].join('\n')
}

/** The simplest syntax that there is: names, a line between them, one word on it. */
function relationsOf(meta: EntityMetadata): string[] {
  const lines = meta.props.filter(isReference).map(prop => {
    const many = prop.kind === ReferenceKind.ONE_TO_ONE || prop.unique ? '|o' : '}o'
    return `  ${meta.className} ${many}--${prop.nullable ? 'o|' : '||'} ${prop.targetMeta!.className} : "${prop.name}"`
  })
  return lines.length > 0 ? lines : [`  ${meta.className}`]
}

function section(meta: EntityMetadata, { text, fields }: Described): string {
  const shown = meta.props.filter(prop => isColumn(prop) && !common.includes(prop.name))
  const rows = shown.map(prop => `| ${marked(meta, prop)} | ${typeOf(prop)} | ${cell(notesOn(meta, prop, fields.get(prop.name)))} |`)
  return [
    `\n### ${meta.className}\n`,
    `${[text, `${kindOf(meta)} \`${meta.tableName}\`, ${ownershipOf(meta)}.`].filter(Boolean).join(' ')}\n`,
    ...(rows.length > 0 ? ['| field | type | |', '|---|---|---|', ...rows] : []),
    ...constraintsOf(meta),
  ].join('\n')
}

const kindOf = (meta: EntityMetadata) => (declarationOf(meta.class)?.madeByMigration === 'view' ? 'View' : 'Table')
const common = ['id', 'createdAt', 'updatedAt', 'tenantId']

function ownershipOf(meta: EntityMetadata): string {
  const { access, softDelete, privateTo } = declarationOf(meta.class) ?? {}
  const whose = isTenantOwned(meta) ? 'a tenant’s' : 'global'
  const verbs = { read: ', only read', append: ', only added to', write: '' }[access ?? 'write']
  return `${whose}${privateTo ? `, seen by its ${privateTo} alone` : ''}${verbs}${softDelete ? ', deleted by marking' : ''}`
}

function marked(meta: EntityMetadata, prop: EntityProperty): string {
  const audit = declarationOf(meta.class)?.audit
  const { secret = [], personal = [] } = audit || {}
  const name = `${prop.name}${prop.nullable ? '?' : ''}`
  if (secret.includes(prop.name)) return `~~${name}~~`
  return personal.includes(prop.name) ? `*${name}*` : name
}

function typeOf(prop: EntityProperty): string {
  if (isReference(prop)) return `→ ${prop.targetMeta!.className}`
  if (prop.items) return 'enum'
  if (prop.version) return 'version'
  return (prop.columnTypes?.[0] ?? prop.runtimeType).replace('timestamptz(3)', 'moment')
}

function notesOn(meta: EntityMetadata, prop: EntityProperty, text?: string): string {
  return [
    text?.replace(/\.$/, ''),
    prop.items?.join(', '),
    prop.default !== undefined && prop.default !== null && !prop.version && `default ${JSON.stringify(prop.default)}`,
    prop.unique && 'unique',
    prop.generated && 'made by the database',
    declarationOf(meta.class)?.immutable.includes(prop.name) && 'never changes',
    isReference(prop) && prop.deleteRule && `on delete ${prop.deleteRule}`,
  ]
    .filter(Boolean)
    .join('; ')
}

function constraintsOf(meta: EntityMetadata): string[] {
  const uniques = meta.uniques.map(({ properties = [], where }) => {
    const names = [properties]
      .flat()
      .map(String)
      .filter(name => name !== 'tenantId')
    return `(${names.join(', ')})${typeof where === 'string' ? ` where ${where}` : ''}`
  })
  const checks = meta.checks.flatMap(({ property, expression }) =>
    !property && typeof expression === 'string' ? [`\`${expression}\``] : [],
  )
  return [
    ...(uniques.length > 0 ? [`\nUnique: ${uniques.join(', ')}.`] : []),
    ...(checks.length > 0 ? [`\nChecks: ${checks.join(', ')}.`] : []),
  ]
}

function isReference(prop: EntityProperty): boolean {
  return prop.kind === ReferenceKind.MANY_TO_ONE || (prop.kind === ReferenceKind.ONE_TO_ONE && prop.owner)
}

function isColumn(prop: EntityProperty): boolean {
  return (
    (prop.persist !== false || prop.formula !== undefined) &&
    (isReference(prop) || prop.kind === ReferenceKind.SCALAR || prop.kind === ReferenceKind.EMBEDDED)
  )
}

const upperFirst = (text: string) => text.charAt(0).toUpperCase() + text.slice(1)
const cell = (text: string) => text.replaceAll('|', '\\|').replaceAll('\n', ' ')
