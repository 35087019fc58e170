import type { EntityClass, EntityData, FilterQuery, FindByCursorOptions, FindOptions, RequiredEntityData } from '@mikro-orm/core'
import { type GrantPath, can, getUserPermissions, Permission, Role, User } from '../entities.ts'
import type { Row, ScopedEntityManager } from '../orm/index.ts'
import { emAtHand } from './at-hand.ts'
import { PaginationInvalidError } from './helpers.errors.ts'
import { createPaginatedResponse, getPaginationParams, type PageRequest, type PageRules, type PaginatedResponse } from './pagination.ts'

/** One entity's rows through the EntityManager that it is given, or that is at hand. It writes at once, as repositories did. */
export class BaseRepository<T extends Row> {
  protected readonly entity: EntityClass<T>
  protected readonly em: ScopedEntityManager

  constructor(entity: EntityClass<T>, em: ScopedEntityManager = emAtHand(`A repository of ${entity.name}`)) {
    this.entity = entity
    this.em = em
  }

  findById(id: string): Promise<T | null> {
    return this.em.findOne<T>(this.entity, byId<T>(id))
  }

  findOne(where: FilterQuery<T>): Promise<T | null> {
    return this.em.findOne<T>(this.entity, where)
  }

  findMany(where: FilterQuery<T> = {}, options: Omit<FindOptions<T>, 'using'> = {}): Promise<T[]> {
    return this.em.find<T>(this.entity, where, options)
  }

  count(where: FilterQuery<T> = {}): Promise<number> {
    return this.em.count<T>(this.entity, where)
  }

  async exists(where: FilterQuery<T>): Promise<boolean> {
    return (await this.count(where)) > 0
  }

  async create(data: RequiredEntityData<T>): Promise<T> {
    const row = this.em.create<T>(this.entity, data)
    await this.em.flush()
    return row
  }

  async update(id: string, changes: EntityData<T>): Promise<T> {
    const row = await this.em.findOneOrFail<T>(this.entity, byId<T>(id))
    this.em.assign(row, changes as never)
    await this.em.flush()
    return row
  }

  async delete(id: string): Promise<void> {
    this.em.remove(await this.em.findOneOrFail<T>(this.entity, byId<T>(id)))
    await this.em.flush()
  }
}

type FieldOf<T> = Extract<keyof T, string>

export interface PageOf<T> {
  readonly data: readonly T[]
  /** Where the next page begins; null on the last one. */
  readonly next: string | null
}

/** Rows page by page: by number with a total, or from where the last page ended, which no row in between can shift. */
export class PaginatedRepository<T extends Row> extends BaseRepository<T> {
  readonly #rules: PageRules<FieldOf<T>>

  constructor(entity: EntityClass<T>, rules: PageRules<FieldOf<T>>, em?: ScopedEntityManager) {
    super(entity, em)
    this.#rules = rules
  }

  async findPaginated({ where, ...asked }: PageRequest & { readonly where?: FilterQuery<T> } = {}): Promise<PaginatedResponse<T>> {
    const params = getPaginationParams(asked, this.#rules)
    const { limit, offset, orderBy } = params
    const options = { limit, offset, orderBy } as Omit<FindOptions<T>, 'using'>
    const [data, total] = await this.em.findAndCount<T>(this.entity, where ?? {}, options)
    return createPaginatedResponse(data, total, params)
  }

  async findAfter({
    where,
    after,
    ...asked
  }: Omit<PageRequest, 'page'> & { readonly where?: FilterQuery<T>; readonly after?: string | null | undefined } = {}): Promise<PageOf<T>> {
    const { limit, orderBy, sortBy, sortOrder } = getPaginationParams(asked, this.#rules)
    const place = `${sortBy}.${sortOrder}.`
    const cursor = after ? readCursor(after, place, orderBy.length) : undefined
    const options = { where: where ?? {}, first: limit, orderBy, includeCount: false, ...(cursor && { after: cursor }) }
    const page = await this.em.findByCursor<T>(this.entity, options as unknown as Omit<FindByCursorOptions<T>, 'using'>)
    return { data: page.items, next: page.hasNextPage ? `${place}${page.endCursor}` : null }
  }
}

/** People whom the tenant at hand knows. */
export class UserRepository extends PaginatedRepository<User> {
  constructor(em?: ScopedEntityManager) {
    super(User, { sortable: ['email', 'name', 'createdAt', 'lastLoginAt'] }, em)
  }
}

export class RoleRepository extends PaginatedRepository<Role> {
  constructor(em?: ScopedEntityManager) {
    super(Role, { sortable: ['key', 'name', 'createdAt'] }, em)
  }
}

export class PermissionRepository extends PaginatedRepository<Permission> {
  constructor(em?: ScopedEntityManager) {
    super(Permission, { sortable: ['key', 'resource'] }, em)
  }
}

/** Questions about what people may do in the tenant at hand. */
export class AuthService {
  readonly #em: ScopedEntityManager

  constructor(em: ScopedEntityManager = emAtHand('AuthService')) {
    this.#em = em
  }

  /** Each permission with the way from the person to it. */
  getUserPermissions(userId: string): Promise<GrantPath[]> {
    return getUserPermissions(this.#em, userId)
  }

  can(userId: string, permission: string): Promise<boolean> {
    return can(this.#em, userId, permission)
  }
}

function byId<T extends Row>(id: string): FilterQuery<T> {
  return { id } as FilterQuery<T>
}

/** A cursor belongs to the order that it was made in; the ORM would begin anew with one of another length. */
function readCursor(after: string, place: string, length: number): string {
  const inner = after.startsWith(place) ? after.slice(place.length) : ''
  try {
    const values = JSON.parse(Buffer.from(inner, 'base64url').toString('utf8')) as unknown
    if (Array.isArray(values) && values.length === length) return inner
  } catch {
    // Told below.
  }
  throw new PaginationInvalidError(['the cursor is damaged, or belongs to another order'])
}
