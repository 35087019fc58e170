/** What stands in headers, for the description: beside what every answer says, by what the operations themselves tell of them. */

export interface Operation {
  tags?: string[]
  parameters?: Parameter[]
  responses?: Record<string, Answer>
}
export interface Answer {
  headers?: object
  description?: string
  content?: Record<string, { schema: unknown }>
}
export type Paths = Record<string, Record<string, Operation>>

interface Parameter {
  readonly name: string
  readonly in: string
  readonly description?: string
  readonly schema: object
}

const text = (description: string) => ({ description, schema: { type: 'string' } })

const everywhere = {
  'x-request-id': text('The id under which the log knows this request.'),
  'ratelimit-policy': text(
    'What is counted, how many requests it may be (`q`) and in how many seconds (`w`): `"address";q=600;w=60, "tenant";q=6000;w=60`.',
  ),
  ratelimit: text('For each policy how many requests are left (`r`) and seconds until all are there again (`t`): `"address";r=599;t=60`.'),
}

const inPlaces = {
  etag: text('Which state of it this shows: for `If-None-Match`, and for `If-Match` when it is changed.'),
  location: text('Where it is found from now on.'),
  'idempotency-replayed': text('`true` where this was answered before, to the same `Idempotency-Key`.'),
  'content-disposition': text('The name under which it may be kept.'),
  'accept-ranges': text('`bytes`: a part of it can be asked for.'),
  'content-range': text('Which bytes of how many these are.'),
  'set-cookie': text('The session, or that there is none any more.'),
  'content-language': text('The language of what people read in it.'),
  'www-authenticate': text('With 401: what kind of credential is taken.'),
}

/** All that an answer may have in its headers, for `components.headers`. */
export const answerHeaders = { ...everywhere, ...inPlaces }

type Name = keyof typeof answerHeaders

function referencesTo(names: readonly Name[]): object {
  return Object.fromEntries(names.map(name => [name, { $ref: `#/components/headers/${name}` }]))
}

export const headersOfAll = referencesTo(Object.keys(everywhere) as Name[])
export const headersOfProblems = { ...headersOfAll, ...referencesTo(['content-language', 'www-authenticate', 'set-cookie']) }

const tenant = '/organizations/{organization}'
const [file, log] = [`${tenant}/documents/{id}/file`, `${tenant}/events/export`] as const

/** What is read from requests where it is needed, and by no schema: a header that makes no sense there is no reason to refuse anybody. */
const asked = {
  [file]: [
    requestHeader('if-none-match', 'What is there already, by its `ETag`.'),
    requestHeader('range', 'One part of it: `bytes=0-1023`.'),
    requestHeader('if-range', 'The part only of this state, by its `ETag`; else the whole.'),
  ],
}

function requestHeader(name: string, description: string): Parameter {
  return { name, in: 'header', description, schema: { type: 'string' } }
}

const cookieRoutes = /\/auth\/(sign-in|sign-out|sign-out-everywhere|reset-password|change-password)$/

/** Adds to each operation which headers it reads, and to each of its answers those that it has. */
export function describeHeaders(paths: Paths): void {
  for (const [url, operations] of Object.entries(paths)) {
    for (const [method, operation] of Object.entries(operations)) {
      const more = Object.entries(asked).find(([end]) => url.endsWith(end))?.[1] ?? []
      if (more.length > 0) operation.parameters = [...(operation.parameters ?? []), ...more]
      if (url.endsWith(file)) describeParts(operation)
      for (const [status, answer] of Object.entries(operation.responses ?? {})) {
        const names = namesFor({ url, method, operation, status, answer }, paths)
        answer.headers = { ...headersOfAll, ...referencesTo(names), ...answer.headers }
      }
    }
  }
}

interface Place {
  readonly url: string
  readonly method: string
  readonly operation: Operation
  readonly status: string
  readonly answer: Answer
}

function namesFor({ url, method, operation, status, answer }: Place, paths: Paths): Name[] {
  const names: Name[] = []
  const collection = /^.*\/organizations\/\{organization\}\/[^/]+/.exec(url)?.[0] ?? url
  const one = paths[`${collection}/{id}`]?.get
  const isMaking = method === 'post' && url === collection
  if (one && reads(one, 'if-none-match') && (isMaking || isTagged(answer, operation, one))) names.push('etag')
  if (isMaking && names.includes('etag')) names.push('location')
  if (reads(operation, 'idempotency-key')) names.push('idempotency-replayed')
  if (url.endsWith(file)) names.push('etag', 'accept-ranges')
  if ((url.endsWith(file) && status !== '304') || url.endsWith(log)) names.push('content-disposition')
  if (cookieRoutes.test(url)) names.push('set-cookie')
  if (answer.content?.['text/html']) names.push('content-language')
  return names
}

/** It shows one of a kind as looking at it does, or says that nothing of it has changed. */
function isTagged(answer: Answer, operation: Operation, one: Operation): boolean {
  if (operation === one) return true
  const schemaOf = ({ content }: Answer) => JSON.stringify(content?.['application/json']?.schema)
  return answer.content !== undefined && schemaOf(answer) === schemaOf(one.responses?.['200'] ?? {})
}

function reads({ parameters = [] }: Operation, header: string): boolean {
  return parameters.some(parameter => parameter.in === 'header' && parameter.name === header)
}

function describeParts({ responses = {} }: Operation): void {
  responses['206'] = { ...responses['200'], description: 'The part that `Range` asks for.', headers: referencesTo(['content-range']) }
  responses['304'] = { description: 'It is there already, as it is.' }
}
