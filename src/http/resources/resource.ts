import type { EntityMetadata, MetadataStorage } from '@mikro-orm/core'
import { type Static, type TSchema, Type } from 'typebox'
import { entityNameOf } from '../../audit/index.ts'
import type { PermissionKey } from '../../domain/access/index.ts'
import { auditedTableOf } from '../../audit/index.ts'
import { declarationOf, type TenantRow } from '../../orm/index.ts'
import { exactly, nullable } from '../fields.ts'
import type { Work } from '../in-tenant.ts'
import { type Field, fieldsOf } from './fields.ts'

export type Verb = 'read' | 'create' | 'update' | 'delete' | 'manage' | 'approve' | 'export'

/** What a resource says beyond what follows from its entity. Without it, it can be read. */
export interface ResourceOptions<T extends TenantRow> {
  /** Under what it stands, where that isn't its name's plural. */
  readonly path?: string
  /** Whether its list, and what changes it, have routes of their own, and only what it was is here. */
  readonly isOnlyPast?: boolean
  /** What a client may give when it makes one, and change later. State that a method guards is not among it: there are actions for that. */
  readonly write?: readonly FieldName<T>[]
  /** What it may give when it makes one, and no more. */
  readonly give?: readonly FieldName<T>[]
  /** The area's own way to make one, with what it asks for. */
  readonly create?: Creation<T>
  /** Refuses what its state forbids. */
  readonly changing?: (row: T, changes: object) => void
  /** Whether one can be deleted; where one can be written it can, unless said otherwise. */
  readonly remove?: boolean
  /** The area's own way to bring back one that was only marked as deleted. */
  readonly restore?: (work: Work, row: T) => Promise<unknown>
  /** Fields for those alone who may do more than read: this, or all of these. */
  readonly reserved?: Partial<Record<FieldName<T>, Verb | readonly (Verb | PermissionKey)[]>>
  /** Whether it is told of events as it stands. Nobody brings one to that who may not read the log. */
  readonly listens?: (work: Work, row: T) => boolean | Promise<boolean>
  /**
   * The person whom each belongs to: nobody else sees it, unless they manage all of them. Where the entity is private to that person, that is
   * left to programs: a session sees its own whatever it may do.
   */
  readonly own?: FieldName<T>
  /** What is found by words, the best first. */
  readonly search?: (work: Work, words: string, limit: number) => Promise<readonly T[]>
  /** What a field may hold, where its type doesn't tell. */
  readonly inputs?: Partial<Record<FieldName<T>, TSchema>>
  readonly actions?: Readonly<Record<string, Action<T>>>
  /** What is asked of all of a kind, or done to them, under a name beside theirs: `GET /quota-counters/current`. */
  readonly together?: Readonly<Record<string, Together>>
}

type FieldName<T> = Extract<Exclude<keyof T, 'id' | 'tenantId' | 'createdAt' | 'updatedAt'>, string>

export interface Creation<T> {
  readonly body: TSchema
  readonly run: (work: Work, body: never) => Promise<Made<T>> | Made<T>
  /** The names of what is shown with it this once. */
  readonly secrets: readonly string[]
}

/** What was made, and what is shown with it this once and never kept: a secret. */
export type Made<T> = T | { readonly row: T; readonly secrets: Readonly<Record<string, string>> }

export function creation<T extends TenantRow, const S extends TSchema>(
  body: S,
  run: (work: Work, body: Static<S>) => Promise<Made<T>> | Made<T>,
  secrets: readonly string[] = [],
): Creation<T> {
  return { body, run, secrets }
}

/** Something that is done to one. It answers with the resource, or as `answer` says. */
export interface Action<T> {
  readonly permission: Verb
  readonly body?: TSchema
  readonly answer?: TSchema
  /** Its answer is shown once, and never kept with an idempotency key. */
  readonly isSecret?: boolean
  readonly undoesDecision?: (row: T, body: never) => string | undefined
  readonly run: (work: Work, row: T, body: never) => unknown
}

/** Asked with a GET where it has a query, and otherwise sent with a POST. */
export interface Together {
  readonly permission: Verb
  readonly query?: TSchema
  readonly body?: TSchema
  readonly answer: TSchema
  readonly run: (work: Work, given: never) => unknown
}

export function asked<const S extends TSchema>(query: S, answer: TSchema, run: (work: Work, query: Static<S>) => unknown): Together {
  return { permission: 'read', query, answer, run }
}

export function sent<const S extends TSchema>(
  permission: Verb,
  body: S,
  answer: TSchema,
  run: (work: Work, body: Static<S>) => unknown,
): Together {
  return { permission, body, answer, run }
}

export interface Resource {
  readonly entity: new () => TenantRow
  readonly options: ResourceOptions<TenantRow>
}

export function action<T extends TenantRow>(permission: Verb, run: (work: Work, row: T) => unknown): Action<T>
export function action<T extends TenantRow, const S extends TSchema>(
  permission: Verb,
  body: S,
  run: (work: Work, row: T, body: Static<S>) => unknown,
): Action<T>
export function action<T extends TenantRow>(permission: Verb, ...rest: [Action<T>['run']] | [TSchema, Action<T>['run']]): Action<T> {
  return rest.length === 1 ? { permission, run: rest[0] } : { permission, body: rest[0], run: rest[1] }
}

/** `resource(Task, { write: ['title'] })`: that is all that an entity needs in order to have its endpoints. */
export function resource<T extends TenantRow>(entity: new () => T, options: ResourceOptions<T> = {}): Resource {
  return { entity, options: options as unknown as ResourceOptions<TenantRow> }
}

/** A resource with what follows from its entity. */
export interface Described extends Resource {
  readonly meta: EntityMetadata<TenantRow>
  /** `task` */
  readonly name: string
  /** `tasks` */
  readonly path: string
  readonly fields: readonly Field[]
  readonly given: readonly Field[]
  readonly changed: readonly Field[]
  readonly isVersioned: boolean
  readonly isSoftDeleted: boolean
  readonly isAudited: boolean
  readonly isDeletable: boolean
  readonly answer: TSchema
  /** What is answered when one is made. */
  readonly made: TSchema
  readonly creation: TSchema | undefined
  readonly change: TSchema | undefined
}

export function describe({ entity, options }: Resource, metadata: MetadataStorage): Described {
  const meta = metadata.get<TenantRow>(entity)
  const { access, softDelete = false } = declarationOf(entity)!
  const { write = [], give = [], inputs = {} } = options
  const fields = fieldsOf(meta).map(field => {
    const input = (inputs as Record<string, TSchema | undefined>)[field.name] ?? inputOf(field, options.create)
    return input ? { ...field, input } : field
  })
  const named = (names: readonly string[]) => names.map(name => fieldNamed(fields, meta, name))
  const name = entityNameOf(entity.name)
  const given = named([...write, ...give])
  const changed = named(write).filter(({ isImmutable }) => !isImmutable)
  const mayWrite = access === 'write'
  // A client that can't give all that one needs can't make one.
  const isCreatable = given.length > 0 && fields.every(field => !field.isRequired || given.includes(field))
  const answers = Object.fromEntries(fields.map(field => [field.name, Type.Optional(field.answer)]))
  const secrets = options.create?.secrets ?? []
  return {
    entity,
    options,
    meta,
    name,
    path: options.path ?? pluralOf(name),
    fields,
    given,
    changed,
    isVersioned: meta.versionProperty !== undefined,
    isSoftDeleted: softDelete,
    isAudited: auditedTableOf(meta) !== undefined,
    isDeletable: mayWrite && (options.remove ?? given.length > 0),
    answer: exactly(answers),
    made: exactly({ ...answers, ...Object.fromEntries(secrets.map(secret => [secret, Type.Optional(Type.String())])) }),
    creation: options.create?.body ?? (isCreatable ? creationOf(given) : undefined),
    change: changed.length > 0 ? Type.Object(optional(changed), { additionalProperties: false, minProperties: 1 }) : undefined,
  }
}

/** What an area's own way to make one asks of a field, changing it asks too; what can be left out there can be taken away here. */
function inputOf({ name, isNullable }: Field, create: Pick<Creation<never>, 'body'> | undefined): TSchema | undefined {
  if (!create || !Type.IsObject(create.body)) return undefined
  const input = Type.Required(create.body).properties[name]
  if (!input) return undefined
  const isNullableToo = Type.IsUnion(input) && input.anyOf.some(Type.IsNull)
  return isNullable && !isNullableToo ? nullable(input) : input
}

export function permissionFor({ name }: Described, verb: Verb): PermissionKey {
  return `${name}:${verb}`
}

function creationOf(given: readonly Field[]): TSchema {
  const [required, rest] = [given.filter(({ isRequired }) => isRequired), given.filter(({ isRequired }) => !isRequired)]
  return exactly({ ...Object.fromEntries(required.map(({ name, input }) => [name, input])), ...optional(rest) })
}

function optional(fields: readonly Field[]): Record<string, TSchema> {
  return Object.fromEntries(fields.map(({ name, input }) => [name, Type.Optional(input)]))
}

/** A misspelt field is found when the host starts. */
function fieldNamed(fields: readonly Field[], meta: EntityMetadata, name: string): Field {
  const found = fields.find(field => field.name === name)
  if (!found)
    throw new TypeError(`${meta.className} has no field ${name} that a client could give${name in meta.properties ? noColumn : ''}.`)
  return found
}

/** Of what is there, and can't be given as it is: objects in columns of their own, relations to many, secrets. */
const noColumn = ': it is no column of its own, or a secret. Let an action take it'

function pluralOf(name: string): string {
  if (name.endsWith('series')) return name
  if (/[^aeiou]y$/.test(name)) return `${name.slice(0, -1)}ies`
  return /(s|x|ch|sh)$/.test(name) ? `${name}es` : `${name}s`
}
