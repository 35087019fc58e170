import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance, FastifySchema, RouteOptions } from 'fastify'
import { Type } from 'typebox'
import { exactly } from './fields.ts'
import { knownCodes, statusOfCode } from './problems.ts'

const problemAnswer = exactly({
  type: Type.String(),
  title: Type.String(),
  status: Type.Integer(),
  code: Type.Enum(knownCodes().toSorted()),
  detail: Type.String(),
  requestId: Type.String(),
  errors: Type.Optional(
    Type.Array(exactly({ pointer: Type.String(), detail: Type.String(), in: Type.Enum(['body', 'query', 'path', 'headers']) })),
  ),
})

const headers = {
  'x-request-id': { description: 'The id under which the log knows this request.', schema: { type: 'string' } },
  'x-ratelimit-limit': { description: 'Requests a minute.', schema: { type: 'integer' } },
  'x-ratelimit-remaining': { description: 'How many of them are left.', schema: { type: 'integer' } },
  'x-ratelimit-reset': { description: 'Seconds until they are all there again.', schema: { type: 'integer' } },
}
const headerReferences = Object.fromEntries(Object.keys(headers).map(name => [name, { $ref: `#/components/headers/${name}` }]))

/**
 * Describes every route that is registered after it, from the schemas that requests are checked by, and shows the description to people at
 * `/docs` without anything from elsewhere. An application that describes its routes itself gets ours in its own description.
 */
export async function describeRoutes(app: FastifyInstance): Promise<void> {
  if (app.hasDecorator('swagger')) return
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Daybook',
        description: 'A multi-tenant domain model in which every change and every decision is an event.',
        version: '1',
      },
      components: {
        securitySchemes: {
          session: { type: 'apiKey', in: 'cookie', name: 'daybook_session', description: 'Of a person who has signed in.' },
          key: { type: 'http', scheme: 'bearer', description: 'An API key: `dbk_…`.' },
        },
      },
    },
    hideUntagged: false,
    transform: ({ schema, url, route }) => ({ schema: described(schema as FastifySchema | undefined, url, route), url }),
    transformObject: document => completed('openapiObject' in document ? (document.openapiObject as Document) : {}) as never,
  })
  app.get('/openapi.json', { config: { access: 'public' }, schema: { hide: true } }, () => app.swagger())
  await app.register(async docs => {
    docs.addHook('onRoute', route => {
      route.config = { ...route.config, access: 'public' }
    })
    await docs.register(swaggerUi, {
      routePrefix: '/docs',
      staticCSP: true,
      uiConfig: { docExpansion: 'none', filter: true, validatorUrl: null },
    })
  })
}

function described(schema: FastifySchema = {}, url: string, route: RouteOptions): FastifySchema {
  const access = route.config?.access
  const security = access === 'public' ? [] : [...(access === 'optional' ? [{}] : []), { session: [] }, { key: [] }]
  const method = [route.method].flat()[0]!
  const raw = route.config?.requestBody
  const body = raw && { consumes: [...raw.types], body: raw.schema }
  return { operationId: operationIdOf(method, url), tags: [tagOf(url)], security, ...body, ...schema }
}

interface Document {
  components?: Record<string, Record<string, unknown>>
  paths?: Record<string, Record<string, Operation>>
}
interface Operation {
  tags?: string[]
  responses?: Record<string, Answer>
}
interface Answer {
  headers?: object
  description?: string
  content?: Record<string, { schema: unknown }>
}

/** Every answer has these headers, and every route may refuse; `default` says how, for all codes. What is said often is said once. */
function completed(document: Document): Document {
  const { paths = {}, components = {} } = document
  for (const operation of Object.values(paths).flatMap(path => Object.values(path))) {
    const answers = (operation.responses ??= {})
    for (const answer of Object.values(answers)) answer.headers = { ...headerReferences, ...answer.headers }
    answers.default = { $ref: '#/components/responses/Problem' } as Answer
  }
  const named = namedAnswers(paths)
  const problem = {
    description: 'A refusal or a failure. `code` is stable, and its status follows from it.',
    headers: headerReferences,
    content: { 'application/problem+json': { schema: problemAnswer } },
  }
  return {
    ...document,
    paths: withReferences(paths, named) as Document['paths'] & object,
    components: {
      ...components,
      headers,
      responses: { Problem: problem },
      schemas: Object.fromEntries([...named].map(([text, name]) => [name, JSON.parse(text)])),
    },
    'x-problem-statuses': Object.fromEntries(knownCodes().map(code => [code, statusOfCode(code)])),
  } as Document
}

/** What one of a kind looks like, under its collection's name; and what is the same for all, under the name of its route. */
function namedAnswers(paths: NonNullable<Document['paths']>): Map<string, string> {
  const named = new Map<string, string>()
  for (const [url, { get }] of Object.entries(paths)) {
    const last = url.split('/').at(-1)!
    const schema = get?.responses?.['200']?.content?.['application/json']?.schema
    const name = last === '{id}' ? get?.tags?.[0] : shared.has(last) ? last : undefined
    if (schema && name && !named.has(JSON.stringify(schema))) named.set(JSON.stringify(schema), pascal(name))
  }
  return named
}

const shared = new Set(['history', 'diff', 'why'])

function withReferences(value: unknown, named: ReadonlyMap<string, string>): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(item => withReferences(item, named))
  const name = 'properties' in value ? named.get(JSON.stringify(value)) : undefined
  if (name) return { $ref: `#/components/schemas/${name}` }
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withReferences(item, named)]))
}

function pascal(text: string): string {
  return text
    .split(/[/.-]/)
    .filter(Boolean)
    .map(part => part[0]!.toUpperCase() + part.slice(1))
    .join('')
}

/** Made of what the route is, so it stays when the route stays: `patchTasksById`. */
export function operationIdOf(method: string, url: string): string {
  const path = url.replace('/organizations/:organization', url.endsWith(':organization') ? '/organization' : '').replaceAll(':', 'by-')
  return method.toLowerCase() + pascal(path)
}

function tagOf(url: string): string {
  const [first = '', , second] = url.split('/').filter(Boolean)
  return first === 'organizations' && second ? second : first
}
