import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance, FastifySchema, RouteOptions } from 'fastify'
import { Type } from 'typebox'
import { exactly } from './fields.ts'
import { type Answer, answerHeaders, describeHeaders, headersOfProblems, type Paths } from './openapi-headers.ts'
import { defaultSessionCookie, type PluginOptions } from './options.ts'
import { secureName } from './session-cookie.ts'
import { compileAllButBody } from './validation.ts'
import { knownCodes, type OwnStatuses, statusOfCode } from './problems.ts'

const problemAnswer = (codes: readonly string[]) =>
  exactly({
    type: Type.String(),
    title: Type.String(),
    status: Type.Integer(),
    code: Type.Enum(codes.toSorted()),
    detail: Type.String(),
    requestId: Type.String(),
    errors: Type.Optional(
      Type.Array(exactly({ pointer: Type.String(), detail: Type.String(), in: Type.Enum(['body', 'query', 'path', 'headers']) })),
    ),
  })

const retryAfter = { 'retry-after': { description: 'Seconds until it is worth another try.', schema: { type: 'integer' } } }
/** What operations name as their `security`; for an application that describes its routes itself. */
export function securitySchemes(sessionCookie: string = defaultSessionCookie) {
  return {
    session: { type: 'apiKey', in: 'cookie', name: sessionCookie, description: 'Of a person who has signed in.' },
    key: { type: 'http', scheme: 'bearer', description: 'An API key: `dbk_…`.' },
  } as const
}

/**
 * Describes every route that is registered after it, from the schemas that requests are checked by, and shows the description to people at
 * `/docs` without anything from elsewhere. An application that describes its routes itself gets ours in its own description.
 */
export async function describeRoutes(app: FastifyInstance, options: PluginOptions): Promise<void> {
  const { docs = true, sessionCookie = defaultSessionCookie, secureCookie = false, problems = {} } = options
  app.addHook('onRoute', route => {
    route.schema = described(route)
    // What is no JSON is described, and looked at by whoever reads it.
    if (route.config?.requestBody) route.validatorCompiler = compileAllButBody
  })
  if (!docs || app.hasDecorator('swagger')) return
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Daybook',
        description: 'A multi-tenant domain model in which every change and every decision is an event.',
        version: '1',
      },
      components: { securitySchemes: securitySchemes(secureCookie ? secureName(sessionCookie) : sessionCookie) },
    },
    hideUntagged: false,
    transformObject: document => completed('openapiObject' in document ? (document.openapiObject as Document) : {}, problems) as never,
  })
  app.get('/openapi.json', { config: { access: 'public' }, schema: { hide: true } }, () => app.swagger())
  await app.register(async pages => {
    pages.addHook('onRoute', route => {
      route.config = { ...route.config, access: 'public' }
    })
    await pages.register(swaggerUi, {
      routePrefix: '/docs',
      staticCSP: true,
      uiConfig: { docExpansion: 'none', filter: true, validatorUrl: null },
    })
  })
}

function described({ schema = {}, config, method: methods, url, prefix }: RouteOptions & { readonly prefix: string }): FastifySchema {
  const access = config?.access
  const security = access === 'public' ? [] : [...(access === 'optional' ? [{}] : []), { session: [] }, { key: [] }]
  const method = [methods].flat()[0]!
  const raw = config?.requestBody
  const body = raw && { consumes: [...raw.types], body: raw.schema }
  return { operationId: operationIdOf(method, url), tags: [tagOf(url.slice(prefix.length))], security, ...body, ...schema }
}

interface Document {
  components?: Record<string, Record<string, unknown>>
  paths?: Paths
}

/** Every answer has these headers, and every route may refuse; `default` says how, for all codes. What is said often is said once. */
function completed(document: Document, own: OwnStatuses): Document {
  const statuses = { ...own, ...Object.fromEntries(knownCodes().map(code => [code, statusOfCode(code)!])) }
  const { paths = {}, components = {} } = document
  describeHeaders(paths)
  for (const operation of Object.values(paths).flatMap(path => Object.values(path))) {
    const answers = (operation.responses ??= {})
    answers['429'] = { $ref: '#/components/responses/TooManyRequests' } as Answer
    answers['503'] ??= { $ref: '#/components/responses/Busy' } as Answer
    answers.default = { $ref: '#/components/responses/Problem' } as Answer
  }
  const named = namedAnswers(paths)
  const problem = {
    description: 'A refusal or a failure. `code` is stable, and its status follows from it.',
    headers: headersOfProblems,
    content: { 'application/problem+json': { schema: problemAnswer(Object.keys(statuses)) } },
  }
  const refusal = { ...problem, headers: { ...headersOfProblems, ...retryAfter } }
  return {
    ...document,
    paths: withReferences(paths, named) as Document['paths'] & object,
    components: {
      ...components,
      headers: answerHeaders,
      responses: {
        Problem: problem,
        TooManyRequests: { ...refusal, description: 'More requests than one of the limits that `RateLimit-Policy` names.' },
        Busy: { ...refusal, description: 'The host or its database has too much to do. Nothing was changed.' },
      },
      schemas: Object.fromEntries([...named].map(([text, name]) => [name, JSON.parse(text)])),
    },
    'x-problem-statuses': statuses,
  } as Document
}

/** What one of a kind looks like, under its collection's name; and what is the same for all, under the name of its route. */
function namedAnswers(paths: Paths): Map<string, string> {
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
