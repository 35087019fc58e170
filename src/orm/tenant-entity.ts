import {
  type CheckConstraint,
  type EntityCtor,
  type EntityMetadata,
  type EntitySchema,
  defineEntity,
  type EntityName,
  type PolicyDef,
  p,
  type TriggerDef,
} from '@mikro-orm/core'
import { type AuditDeclaration, type ChildAudit, declareChild, declareEntity, type TableAccess } from './declaration.ts'
import { moment, rowProperties } from './row.ts'
import { tenantIdFromScope } from './tenant-filter.ts'
import { privatePolicy, tenantPolicy } from './tenant-policy.ts'

type PropertyOf<T> = Extract<keyof T, string>

export interface IndexDeclaration<T> {
  /** `tenantId` is put in front. */
  readonly properties: readonly PropertyOf<T>[]
  readonly name?: string
  /** A partial index: an SQL condition. */
  readonly where?: string
  /** An index of another kind: the whole statement. The tenant is not put in front, so it can't serve the policy. */
  readonly expression?: string
}

export interface EntityOptions<T> {
  readonly class: EntityCtor<T>
  readonly tableName?: string
  readonly extends?: EntityName
  /** The parent of one table's inheritance tree names the property that tells its children apart. */
  readonly discriminator?: PropertyOf<T>
  /** A builder of `p` for each field of the class that is stored; `id`, `createdAt`, `updatedAt` and `tenantId` are there already. */
  readonly properties: { readonly [K in PropertyOf<T>]?: unknown }
  readonly uniques?: readonly IndexDeclaration<T>[]
  readonly indexes?: readonly IndexDeclaration<T>[]
  readonly checks?: readonly CheckConstraint<T>[]
  readonly filters?: EntityMetadata<T>['filters']
  /** What the application's role may do with the table; `write` unless said otherwise. */
  readonly access?: TableAccess
  /** Properties that never change once the row is written; `id` and `tenantId` never do. */
  readonly immutable?: readonly PropertyOf<T>[]
  /** What the log records. A tenant's entities are recorded unless they say `false`; global ones only if they say what. */
  readonly audit?: AuditOptions<T> | false
}

export interface AuditOptions<T> extends AuditDeclaration, ChildAuditOptions<T> {
  readonly log?: PropertyOf<T>
  readonly secret?: readonly PropertyOf<T>[]
  readonly personal?: readonly PropertyOf<T>[]
  readonly person?: PropertyOf<T>
}

/** What a child of an inheritance tree may say of its own properties; its table's log and person are its root's. */
export interface ChildAuditOptions<T> extends ChildAudit {
  readonly secret?: readonly PropertyOf<T>[]
  readonly personal?: readonly PropertyOf<T>[]
}

export interface TenantEntityOptions<T> extends EntityOptions<T> {
  /**
   * Narrows what the tenant policy allows. A second permissive policy would widen it, so only restrictive ones are taken; of an entity that is
   * recorded only such as say what may be written (`command`), for the log doesn't know what they hide.
   */
  readonly restrictions?: readonly Omit<PolicyDef<T>, 'type'>[]
  /**
   * The property that says whose each row is, for good: in a scope that carries a person the rows of others aren't there, nor was any in
   * the past. The log itself (`feed`, `subscribe`) tells of them to whoever may read it.
   */
  readonly privateTo?: PropertyOf<T>
  /** Rows are marked as deleted (`deletedAt`); the filter `live` hides them, and what is unique is so among those that are left. */
  readonly softDelete?: boolean
  /** Has what the log brings back rest, if it acts by itself. */
  readonly restored?: (row: T) => void
  /** Rules that span rows or speak of what was there before; `refused` and `rowTrigger` make them. */
  readonly triggers?: readonly TriggerDef<T>[]
}

/**
 * Declares an entity whose rows belong to one tenant. From this one declaration follow the column, the filter, the policy, the guard
 * against references that cross tenants, and the rule that unique constraints start with the tenant.
 */
export function tenantEntity<T extends object>(options: TenantEntityOptions<T>): EntitySchema<T> {
  const {
    restrictions = [],
    immutable = [],
    access = 'write',
    audit = {},
    indexes = [],
    properties,
    softDelete = false,
    privateTo,
    restored,
    ...rest
  } = options
  const uniques = (options.uniques ?? []).map(unique => (softDelete ? { where: 'deleted_at is null', ...unique } : unique))
  declareEntity(options.class, {
    belongsTo: 'tenant',
    access,
    immutable: fixedBy(immutable, privateTo, audit),
    audit,
    softDelete,
    ...(privateTo !== undefined && { privateTo }),
    ...(restored && { restored }),
  })
  const narrowing = [...(privateTo === undefined ? [] : [privatePolicy<T>(privateTo)]), ...restrictions]
  return schemaOf<T>({
    ...rest,
    properties: {
      ...rowProperties(),
      tenantId: p.uuid().onCreate((_entity, em) => tenantIdFromScope(em, options.class.name)),
      ...properties,
      ...(softDelete && { deletedAt: moment().nullable() }),
    },
    ...(softDelete && { filters: { live: { name: 'live', cond: { deletedAt: null }, default: true } } }),
    uniques: uniques.map(index => ({ ...index, properties: ['tenantId', ...index.properties] })),
    // Every read compares the tenant, whose rows a planner takes for few until it has statistics of them: without an index that knows both, it
    // would read them all for the one whose id is named.
    indexes: [{ properties: ['id'] }, ...indexes].map(index => ({ ...index, properties: ['tenantId', ...index.properties] })),
    policies: [tenantPolicy, ...narrowing.map(policy => ({ ...policy, type: 'restrictive' as const }))],
    rowLevelSecurity: 'force',
    // The model adds its guards to this list.
    triggers: [...(options.triggers ?? [])],
  })
}

/**
 * Whose a row is stays so: what the log told of it stands in one log and under one person's key, which another value would leave behind.
 */
function fixedBy(immutable: readonly string[], privateTo: string | undefined, audit: AuditDeclaration | false): string[] {
  const owners = [privateTo, audit ? audit.log : undefined, audit ? audit.person : undefined]
  const named = owners.filter(name => name !== undefined && name !== 'id' && name !== 'tenantId') as string[]
  return [...new Set([...immutable, ...named])]
}

/** Declares a child in the table of its parent, which has said everything about tenant, policy and log already, but for what the child adds. */
export function childEntity<T extends object>(
  options: Pick<EntityOptions<T>, 'class' | 'properties' | 'checks'> & {
    readonly extends: EntityName
    readonly discriminatorValue: string
    readonly audit?: ChildAuditOptions<T>
  },
): EntitySchema<T> {
  const { audit, ...meta } = options
  if (audit) declareChild(options.class, audit)
  return schemaOf<T>(meta)
}

export interface GlobalEntityOptions<T> extends EntityOptions<T> {
  /** Tables with people in them have policies too; a catalogue that everybody may read has none. */
  readonly policies?: readonly PolicyDef<T>[]
}

/** Declares an entity that belongs to no tenant: people, their sessions and tokens, and catalogues. */
export function globalEntity<T extends object>(options: GlobalEntityOptions<T>): EntitySchema<T> {
  const { policies = [], access = 'write', audit = false, immutable = [], properties, ...rest } = options
  declareEntity(options.class, { belongsTo: 'global', access, immutable: fixedBy(immutable, undefined, audit), audit })
  return schemaOf<T>({
    ...rest,
    properties: { ...rowProperties(), ...properties },
    policies,
    ...(policies.length > 0 ? { rowLevelSecurity: 'force' } : {}),
  })
}

/** The ORM infers an entity's type from its builders; ours is the class, so the inferred type is dropped here, once. */
function schemaOf<T extends object>(meta: object): EntitySchema<T> {
  return defineEntity(meta as Parameters<typeof defineEntity>[0]) as unknown as EntitySchema<T>
}
