import type { FastifyRequest } from 'fastify'
import { type TObject, type TSchema, Type } from 'typebox'
import type { TenantRow } from '../../orm/index.ts'
import type { App } from '../app.ts'
import { exactly, idField, nothing, nullable, organizationParams, withinOrganization } from '../fields.ts'
import { hostOf } from '../host-state.ts'
import { ResourceNotFoundError } from '../http.errors.ts'
import { type Look, type Looking, lookInTenant, type Work } from '../in-tenant.ts'
import { type Answer, bodyAfterHead, idempotencyFields, type Later, respond } from '../respond.ts'
import { hasSeen } from '../entity-tags.ts'
import { momentField } from './fields.ts'
import { type ListQuery, listShapeOf, pageFields } from './list-query.ts'
import { asItStands, heedingListeners } from './listening.ts'
import { diffAnswer, diffOf, historyAnswer, historyOf, requireAllOf, revertIn, whyAnswer, whyOf } from './past.ts'
import {
  etagFor,
  findIn,
  isStored,
  type Known,
  list,
  lookForMany,
  lookForOne,
  type Selection,
  selectionIn,
  viewWith,
  visibleFields,
} from './read.ts'
import { type Action, type Described, permissionFor, type Together, type Verb } from './resource.ts'
import { StoredRows } from './stored.ts'
import { telling, type Told } from './told.ts'
import type { View } from './view.ts'
import { bringBack, change, create, lockedIfThere, lockedIn, refuseUnseen, remove, requireMatch } from './write.ts'

const seenHeaders = Type.Object({ 'if-none-match': Type.Optional(Type.String({ maxLength: 4_000 })) })
const matchHeaders = Type.Object({ 'if-match': Type.Optional(Type.String({ maxLength: 4_000 })) })

const edge = Type.Union([momentField(), idField()], { description: 'an instant, or the id of an event for the moment right after it' })

/** The endpoints of one resource, each of them a sentence of this file. */
export class ResourceRoutes {
  readonly #app: App
  readonly #resource: Described
  readonly #known: Known
  readonly #stored: StoredRows
  readonly #many: string
  readonly #one: string

  constructor(app: App, resource: Described, known: Known) {
    this.#app = app
    this.#resource = resource
    this.#known = known
    this.#stored = new StoredRows(resource, hostOf(app).database.orm.em.getPlatform())
    this.#many = `/organizations/:organization/${resource.path}`
    this.#one = `${this.#many}/:id`
  }

  register(): void {
    const { creation, change: changes, isDeletable, isAudited, options } = this.#resource
    if (options.isOnlyPast) return this.#remembering()
    this.#reading()
    if (creation) this.#creating(creation)
    if (changes) this.#changing(changes)
    if (isDeletable) this.#deleting()
    if (isAudited) this.#remembering()
    for (const [name, together] of Object.entries(options.together ?? {})) this.#together(name, together)
    for (const [name, action] of Object.entries(options.actions ?? {})) this.#acting(name, action)
  }

  #reading(): void {
    const shape = listShapeOf(this.#resource)
    const { answer } = this.#resource
    const page = exactly({ items: Type.Array(answer), next: nullable(Type.String()) })
    this.#route(
      'GET',
      this.#many,
      'read',
      { summary: 'list', querystring: shape.query, answer: page },
      async ({ work, query }) => {
        const selection = await this.#selection(work, query)
        return { body: await list(work, this.#resource, { shape, query, selection }) }
      },
      async ({ work, query }) => {
        const selection = await this.#selection(work, query)
        const { question, show } = await lookForMany(work, this.#resource, this.#stored, { shape, query, selection })
        return { question, show: rows => ({ body: show(rows) }) }
      },
    )
    this.#searching(page)
    const querystring = exactly({ ...pageFields(this.#resource), asOf: Type.Optional(momentField()) })
    this.#route(
      'GET',
      this.#one,
      'read',
      { summary: 'get', querystring, headers: seenHeaders, answer, more: { 304: nothing() } },
      async ({ work, id, query, headers }) => {
        const selection = await this.#selection(work, query)
        const row = await findIn(work, this.#resource, id, { selection, moment: query.asOf })
        const view = viewWith(row, selection)
        return unlessSeen(headers, etagFor(row, view, this.#resource, selection), view)
      },
      async ({ work, id, query, headers }) => {
        const selection = await this.#selection(work, query)
        const { question, show } = await lookForOne(work, this.#resource, this.#stored, { id, selection })
        return {
          question,
          show: rows => {
            const { values, view } = show(rows)
            return unlessSeen(headers, etagFor(values, view, this.#resource, selection), view)
          },
        }
      },
    )
  }

  #searching(answer: TSchema): void {
    const { search } = this.#resource.options
    if (!search) return
    const querystring = exactly({
      words: Type.String({ minLength: 1, maxLength: 500 }),
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100 })),
    })
    this.#route('GET', `${this.#many}/search`, 'read', { summary: 'search', querystring, answer }, async ({ work, query }) => {
      const selection = await this.#selection(work, {})
      const rows = await search(work, String(query.words), Number(query.limit ?? 20))
      return { body: { items: rows.map(row => viewWith(row, selection)), next: null } }
    })
  }

  #creating(body: TSchema): void {
    const { made: answer, path } = this.#resource
    this.#route('POST', this.#many, 'create', { summary: 'create', body, answer, status: 201 }, async ({ work, body: given }) => {
      const { row, secrets } = await create(work, this.#resource, given)
      const tell = await telling(work, this.#resource, this.#known)
      return () => {
        const location = `${this.#app.prefix}/organizations/${row.tenantId}/${path}/${row.id}`
        const { etag, body: told } = tell(row)
        return { status: 201, headers: { location, etag }, body: told, ...(secrets && { secrets }) }
      }
    })
  }

  #changing(body: TSchema): void {
    const { answer } = this.#resource
    const schema = { summary: 'change', body, answer, headers: matchHeaders }
    this.#route('PATCH', this.#one, 'update', schema, async ({ work, id, body: given, headers }) => {
      const row = await lockedIn(work, this.#resource, id)
      requireMatch(headers['if-match'], row, this.#resource)
      await heedingListeners(work, this.#resource, row, () => change(work, this.#resource, row, given))
      return this.#told(work, row)
    })
  }

  #deleting(): void {
    const { answer, isSoftDeleted, isAudited } = this.#resource
    this.#route('DELETE', this.#one, 'delete', { summary: 'delete', status: 204, headers: matchHeaders }, async ({ work, id, headers }) => {
      const row = await lockedIn(work, this.#resource, id)
      refuseUnseen(headers['if-match'], row, this.#resource)
      await remove(work, this.#resource, row)
      return { status: 204 }
    })
    if (!isSoftDeleted && !isAudited) return
    const schema = { summary: 'restore', answer, headers: matchHeaders }
    this.#route('POST', `${this.#one}/restore`, 'delete', schema, async ({ work, id, headers }) => {
      if (this.#resource.options.own && !(await work.may(permissionFor(this.#resource, 'manage'))))
        throw new ResourceNotFoundError(this.#resource.name)
      await this.#refuseUnseen(work, id, headers)
      return this.#told(work, await heedingListeners(work, this.#resource, undefined, () => bringBack(work, this.#resource, id)))
    })
  }

  #remembering(): void {
    const page = exactly({
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200 })),
      before: Type.Optional(idField()),
    })
    this.#route('GET', `${this.#one}/history`, 'read', { summary: 'history of', querystring: page, answer: historyAnswer }, async call => {
      const fields = await this.#pastFields(call)
      return { body: await historyOf(call.work, this.#resource, call.id, { fields, ...call.query }) }
    })
    const between = exactly({ from: edge, to: edge })
    this.#route('GET', `${this.#one}/diff`, 'read', { summary: 'difference of', querystring: between, answer: diffAnswer }, async call => {
      const fields = await this.#pastFields(call)
      return { body: await diffOf(call.work, this.#resource, call.id, fields, String(call.query.from), String(call.query.to)) }
    })
    const property = exactly({ property: Type.String({ maxLength: 200, pattern: '^[A-Za-z][A-Za-z0-9_.-]*$' }) })
    this.#route('GET', `${this.#one}/why`, 'read', { summary: 'reasons of', querystring: property, answer: whyAnswer }, async call => {
      const fields = await this.#pastFields(call)
      return { body: await whyOf(call.work, this.#resource, call.id, fields, String(call.query.property)) }
    })
    if (!this.#resource.change) return
    const body = exactly({ event: idField(), force: Type.Optional(Type.Boolean()) })
    const schema = { summary: 'revert', body, answer: this.#resource.answer, headers: matchHeaders }
    this.#route('POST', `${this.#one}/revert`, 'manage', schema, async call => {
      const { event, force = false } = call.body as { event: string; force?: boolean }
      await this.#refuseUnseen(call.work, call.id, call.headers)
      const before = await asItStands(call.work, this.#resource, call.id)
      const row = await heedingListeners(call.work, this.#resource, before, async () => {
        await revertIn(call.work, this.#resource, call.id, { event, force, known: this.#known })
        return findIn(call.work, this.#resource, call.id)
      })
      return this.#told(call.work, row)
    })
  }

  #together(name: string, { permission, query, body, answer, run }: Together): void {
    const schema = { summary: name.replaceAll('-', ' '), answer, ...(query && { querystring: query }), ...(body && { body }) }
    this.#route(query ? 'GET' : 'POST', `${this.#many}/${name}`, permission, schema, async ({ work, query: asked, body: given }) => {
      const result = await run(work, (query ? asked : given) as never)
      await work.em.flush()
      return { body: result }
    })
  }

  #acting(name: string, { permission, body, answer, isSecret, undoesDecision, run }: Action<TenantRow>): void {
    // Whoever repeats a request isn't shown its secrets again.
    const shown = answer && isSecret ? Type.Partial(answer) : answer
    const schema = {
      summary: name.replaceAll('-', ' '),
      ...(body && { body }),
      answer: shown ?? this.#resource.answer,
      headers: matchHeaders,
    }
    this.#route('POST', `${this.#one}/${name}`, permission, schema, async ({ work, id, body: given, headers }) => {
      const row = await lockedIn(work, this.#resource, id)
      refuseUnseen(headers['if-match'], row, this.#resource)
      const undone = undoesDecision?.(row, given as never)
      if (undone !== undefined) await requireAllOf(work, this.#known, { id: undone })
      let result: unknown
      await heedingListeners(work, this.#resource, row, async () => {
        result = await run(work, row, given as never)
        await work.em.flush()
        return row
      })
      if (isSecret) return { body: {}, secrets: result as Record<string, string> }
      if (answer) return { body: result }
      // What a service has changed in a transaction of its own is read anew.
      return this.#told(work, await work.em.findOneOrFail(this.#resource.entity, { id: row.id }, { refresh: true }))
    })
  }

  #route(
    method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
    url: string,
    verb: Verb,
    described: RouteSchema,
    handle: (call: Call) => Promise<Answer | Later>,
    /** Where what is asked can be shown as it is stored. */
    look?: (call: LookCall) => Promise<Look<Answer>>,
  ): void {
    const { summary, querystring, body, headers, answer, status = 200, more } = described
    const permission = permissionFor(this.#resource, verb)
    this.#app.route({
      method,
      url,
      schema: {
        summary: `${summary} ${this.#resource.name}`,
        description: `Needs the permission \`${permission}\`.`,
        params: url.includes(':id') ? withinOrganization : organizationParams,
        ...(querystring && { querystring }),
        ...(body && { body }),
        ...(method === 'POST' ? { headers: Type.Object({ ...idempotencyFields, ...headers?.properties }) } : headers && { headers }),
        response: { [status]: answer ?? nothing(), ...more },
      },
      // What is sent has been put together field by field.
      serializerCompiler: () => value => JSON.stringify(value),
      handler: async (request, reply) => {
        const call = callIn(request)
        return look && isStored(call.query)
          ? bodyAfterHead(reply, await lookInTenant(request, permission, work => look({ ...call, work })))
          : respond(request, reply, permission, work => handle({ ...call, work }))
      },
    })
  }

  /** What of its past is shown; of what belongs to somebody else nothing is. */
  async #pastFields({ work, id }: Call) {
    if (this.#resource.options.own) await findIn(work, this.#resource, id)
    return visibleFields(this.#resource, work.may)
  }

  #selection(work: Looking, query: ListQuery): Promise<Selection> {
    return selectionIn(this.#resource, query, this.#known, work.may)
  }

  async #told(work: Work, row: TenantRow): Promise<Answer> {
    const tell = await telling(work, this.#resource, this.#known)
    return answerOf(tell(row))
  }

  async #refuseUnseen(work: Work, id: string, headers: Asked['headers']): Promise<void> {
    const header = headers['if-match']
    if (header !== undefined) refuseUnseen(header, await lockedIfThere(work, this.#resource, id), this.#resource)
  }
}

interface RouteSchema {
  readonly summary: string
  readonly querystring?: TSchema
  readonly body?: TSchema
  readonly headers?: TObject
  readonly answer?: TSchema
  readonly status?: number
  /** Other answers that are no refusals. */
  readonly more?: Readonly<Record<number, TSchema>>
}

interface Asked {
  readonly id: string
  readonly query: ListQuery
  readonly body: Readonly<Record<string, unknown>>
  readonly headers: Readonly<Record<string, string | undefined>>
}

interface Call extends Asked {
  readonly work: Work
}

interface LookCall extends Asked {
  readonly work: Looking
}

function callIn({ params, query, body, headers }: FastifyRequest): Asked {
  return {
    id: (params as { id?: string }).id ?? '',
    query: (query ?? {}) as ListQuery,
    body: (body ?? {}) as Asked['body'],
    headers: headers as Asked['headers'],
  }
}

/** Whoever has seen it as it is gets no more than that. */
function unlessSeen(headers: Asked['headers'], etag: string, body: View): Answer {
  return hasSeen(headers['if-none-match'], etag) ? { status: 304, headers: { etag } } : answerOf({ etag, body })
}

const answerOf = ({ etag, body }: Told): Answer => ({ headers: { etag }, body })
