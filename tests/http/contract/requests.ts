import fc from 'fast-check'
import { newId } from '../../../src/kernel/id.ts'
import type { Operation, Parameter } from './operations.ts'
import type { Schema } from '../sample.ts'
import { damaged, hostileText, type Ids, valueOf } from './values.ts'

export interface Ground {
  /** Rows of whoever asks, by the collection that they stand in. */
  readonly own: Ids
  /** Rows of another tenant. */
  readonly foreign: Ids
  readonly organization: string
  readonly foreignOrganization: string
}

export interface Request {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly payload?: string
  /** Whether its path names something that belongs to another tenant. */
  readonly isForeign: boolean
  readonly asProgram: boolean
}

/** A request to one operation: as it is described, or with something wrong in one of its parts. */
export function requestTo(operation: Operation, ground: Ground): fc.Arbitrary<Request> {
  const parts = fc.record({
    path: pathOf(operation, ground),
    query: queryOf(operation, ground),
    headers: headersOf(operation),
    payload: operation.body ? payloadOf(operation, ground) : fc.constant(undefined),
    type: fc.oneof({ weight: 30, arbitrary: fc.constant('application/json') }, fc.constantFrom('text/plain', 'application/xml', '')),
    asProgram: fc.boolean(),
  })
  return parts.map(({ path: { url, isForeign }, query, headers, payload, type, asProgram }) => ({
    url: query ? `${url}?${query}` : url,
    // A program may say what it sends although it sends nothing.
    headers: operation.method === 'GET' || type === '' ? headers : { ...headers, 'content-type': type },
    ...(payload !== undefined && { payload }),
    isForeign,
    asProgram,
  }))
}

function pathOf({ path, isOpen }: Operation, ground: Ground): fc.Arbitrary<{ url: string; isForeign: boolean }> {
  const collection = path.split('/')[3] ?? ''
  const isOfPerson = path.startsWith('/me/organizations/')
  const own = isOfPerson ? ground.organization : ground.own[collection]
  const foreign = isOfPerson ? ground.foreignOrganization : ground.foreign[collection]
  const organization = fc.oneof(
    { weight: 20, arbitrary: fc.constantFrom({ text: 'current', isForeign: false }, { text: ground.organization, isForeign: false }) },
    // What strangers may do in any organization is done in one's own here: the other's rows are compared afterwards.
    fc.constant(isOpen ? { text: ground.organization, isForeign: false } : { text: ground.foreignOrganization, isForeign: true }),
    hostileText.map(text => ({ text, isForeign: false })),
  )
  const id = fc.oneof(
    { weight: 14, arbitrary: fc.constant({ text: own ?? newId(), isForeign: false }) },
    { weight: 2, arbitrary: fc.constant({ text: foreign ?? newId(), isForeign: true }) },
    fc.uuid().map(text => ({ text, isForeign: false })),
    hostileText.map(text => ({ text, isForeign: false })),
  )
  return fc.tuple(organization, id).map(([first, second]) => ({
    url: path.replace('{organization}', encoded(first.text)).replace('{id}', encoded(second.text)),
    isForeign: (path.includes('{organization}') && first.isForeign) || (path.includes('{id}') && second.isForeign),
  }))
}

/** An empty part would be another path. */
const encoded = (text: string) => encodeURIComponent(text.toWellFormed()) || '%20'

function queryOf({ parameters }: Operation, ground: Ground): fc.Arbitrary<string> {
  const asked = parameters.filter(parameter => parameter.in === 'query')
  const chosen = fc.oneof(fc.constant([]), fc.subarray(asked, { maxLength: Math.min(asked.length, 3) }))
  const some = chosen
    .map(optional => [...new Set([...asked.filter(({ required }) => required), ...optional])])
    .chain(all => fc.tuple(...all.map(parameter => pairOf(parameter, ground))))
  const unknown = fc.tuple(fc.constantFrom('__proto__', 'constructor', 'tenantId', 'after', 'populate'), hostileText)
  return fc
    .tuple(some, fc.oneof({ weight: 12, arbitrary: fc.constant(undefined) }, unknown))
    .map(([pairs, more]) =>
      [...pairs, ...(more ? [more] : [])].map(([name, text]) => `${encodeURIComponent(name)}=${encoded(text)}`).join('&'),
    )
}

/** What no pattern tells. */
const known: Readonly<Record<string, (schema: Schema) => fc.Arbitrary<unknown>>> = {
  fields: () => fc.constant('id'),
  populate: ({ description = '' }) => fc.constant(/of: (\w+)/.exec(description)?.[1] ?? 'tenant'),
  asOf: () => fc.constantFrom('2099-01-01T00:00:00Z', '2020-01-01T00:00:00Z'),
}

function pairOf({ name, schema }: Parameter, ground: Ground): fc.Arbitrary<[string, string]> {
  const valid = (known[name]?.(schema) ?? valueOf(schema, ground, name)).map(value =>
    typeof value === 'string' ? value : JSON.stringify(value),
  )
  return fc.oneof({ weight: 8, arbitrary: valid }, hostileText).map(text => [name, text])
}

function headersOf({ parameters }: Operation): fc.Arbitrary<Record<string, string>> {
  const values: Record<string, fc.Arbitrary<string>> = {
    'if-match': fc.constantFrom('*', '*', '*', '"1"', 'W/"1"', '"'),
    'if-none-match': fc.constantFrom('"1"', '*', '"'),
    'idempotency-key': fc.oneof({ weight: 4, arbitrary: fc.uuid() }, fc.constantFrom('a-key', 'k'.repeat(201), "'; --")),
    'accept-language': fc.constantFrom('fr', 'en;q=2, fr;q=0.1', ';;;', '*'),
    'x-request-id': fc.constantFrom('not one', '00000000-0000-0000-0000-000000000000'),
    traceparent: fc.constantFrom('00-00000000000000000000000000000000-0000000000000000-00', 'garbage'),
  }
  const described = ['accept-language', 'x-request-id', 'traceparent', ...parameters.map(({ name }) => name)]
  const some = Object.entries(values)
    .filter(([name]) => described.includes(name))
    .map(([name, value]) => [name, fc.oneof({ weight: 4, arbitrary: value }, fc.constant(''))] as const)
  return fc.record(Object.fromEntries(some)).map(headers => Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== '')))
}

const strange = ['', '{', 'null', '[]', '"text"', '1e999', '{"__proto__":{"isAdmin":true}}', `${'['.repeat(20_000)}${']'.repeat(20_000)}`]

function payloadOf({ body }: Operation, ground: Ground): fc.Arbitrary<string> {
  const valid = valueOf(body!, ground)
  return fc.oneof(
    { weight: 10, arbitrary: valid.map(value => JSON.stringify(value)) },
    { weight: 10, arbitrary: valid.chain(value => damaged(value, body!)) },
    fc.constantFrom(...strange),
  )
}
