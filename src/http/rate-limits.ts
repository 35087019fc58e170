import rateLimit, { normalizeIP } from '@fastify/rate-limit'
import { hash, randomBytes } from 'node:crypto'
import type { FastifyContextConfig, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { ApiKey } from '../domain/access/index.ts'
import { credentialIn } from './authentication.ts'
import type { Counter } from './host-state.ts'
import { TooManyRequestsError } from './http.errors.ts'
import { defaultRateLimits, type PluginOptions, type RateLimits } from './options.ts'

/** What is counted. The names stand in the headers and in the metrics. */
export const limitNames = ['address', 'guesses', 'credential', 'tenant'] as const
export type LimitName = (typeof limitNames)[number]

const minute = 60_000
/** So many addresses, credentials or tenants are told apart; beyond that whoever was quiet longest is forgotten. */
const remembered = 10_000

interface Pace {
  readonly max: number
  readonly windowMs: number
}

interface Counted extends Pace {
  readonly name: LimitName
  readonly remaining: number
  readonly seconds: number
}

/**
 * Counts requests in this order: by address before anything else (an IPv6 address by its /64, which is what one subscriber gets), so that
 * whoever tries one key after another is found; by credential before it is looked up; by tenant once it is certain that the request may
 * work there, so that nobody uses up a tenant that isn't theirs.
 */
export class Throttle implements Counter {
  readonly #limits: RateLimits | undefined
  readonly #counters = new Map<LimitName, ReturnType<FastifyInstance['createRateLimit']>>()
  readonly #counted = new WeakMap<FastifyRequest, Counted[]>()
  readonly #salt = randomBytes(16).toString('hex')
  /** Of keys that may do less than others. */
  readonly #paces = new Map<string, Pace>()
  readonly #onThrottled: (name: LimitName) => void

  constructor(app: FastifyInstance, options: PluginOptions['rateLimits'], onThrottled: (name: LimitName) => void) {
    this.#limits = options === false ? undefined : { ...defaultRateLimits, ...options }
    this.#onThrottled = onThrottled
    if (!this.#limits) return
    const { requests, credentials, perCredential, perTenant } = this.#limits
    const pace = (key: string) => this.#paces.get(key) ?? { max: perCredential, windowMs: minute }
    const counters: Record<LimitName, object> = {
      address: { ...counter(requests), keyGenerator: addressOf },
      guesses: { ...counter(credentials), keyGenerator: (request: FastifyRequest) => `${request.routeOptions.url} ${addressOf(request)}` },
      credential: {
        ...counter(perCredential),
        max: (_request: FastifyRequest, key: string) => pace(key).max,
        timeWindow: (_request: FastifyRequest, key: string) => pace(key).windowMs,
        keyGenerator: (request: FastifyRequest) => this.#fingerprintOf(request),
      },
      tenant: { ...counter(perTenant), keyGenerator: (request: FastifyRequest) => `tenant ${tenants.get(request)}` },
    }
    for (const name of limitNames) this.#counters.set(name, app.createRateLimit(counters[name]))
  }

  async countAddress(request: FastifyRequest): Promise<void> {
    const { isUnlimited, isGuessable } = request.routeOptions.config
    if (isUnlimited) return
    await this.#count('address', request)
    if (isGuessable) await this.#count('guesses', request)
  }

  /** Only what has the shape of a credential is looked up, so only that is counted. */
  async countCredential(request: FastifyRequest): Promise<void> {
    if (request.is404 || request.routeOptions.config.access === 'public' || credentialIn(request) === undefined) return
    await this.#count('credential', request)
  }

  /** A key may have been given fewer requests than others; that counts from its next request on. */
  learn(request: FastifyRequest, { rateLimitMax, rateLimitWindow }: Pick<ApiKey, 'rateLimitMax' | 'rateLimitWindow'>): void {
    if (!this.#limits) return
    const windowMs = rateLimitWindow * 1000
    if (rateLimitMax / windowMs >= this.#limits.perCredential / minute) return
    const [oldest] = this.#paces.size < remembered ? [] : this.#paces.keys()
    if (oldest !== undefined) this.#paces.delete(oldest)
    this.#paces.set(this.#fingerprintOf(request), { max: rateLimitMax, windowMs })
  }

  /** Once for each request, however many transactions it takes. */
  async countTenant(request: FastifyRequest, tenant: string): Promise<void> {
    if (tenants.has(request)) return
    tenants.set(request, tenant)
    await this.#count('tenant', request)
  }

  /** As the IETF's draft on RateLimit headers has it (structured fields, from its eighth version on). */
  tell(request: FastifyRequest, reply: FastifyReply): void {
    const counted = this.#counted.get(request)
    if (!counted) return
    reply.header('ratelimit-policy', counted.map(({ name, max, windowMs }) => `"${name}";q=${max};w=${windowMs / 1000}`).join(', '))
    reply.header('ratelimit', counted.map(({ name, remaining, seconds }) => `"${name}";r=${remaining};t=${seconds}`).join(', '))
  }

  async #count(name: LimitName, request: FastifyRequest): Promise<void> {
    const found = await this.#counters.get(name)?.(request)
    if (!found || found.isAllowed) return
    const { max, timeWindow: windowMs, remaining, ttlInSeconds: seconds, isExceeded } = found
    this.#counted.set(request, [...(this.#counted.get(request) ?? []), { name, max, windowMs, remaining, seconds }])
    if (!isExceeded) return
    this.#onThrottled(name)
    throw new TooManyRequestsError(seconds, name)
  }

  /** Salted for this process and far shorter than the credential: who sees the counters learns nothing that opens anything. */
  #fingerprintOf(request: FastifyRequest): string {
    return hash('sha256', this.#salt + credentialIn(request), 'base64url').slice(0, 22)
  }
}

const counter = (max: number) => ({ max, timeWindow: minute, cache: remembered })

/** In which tenant a request is counted. */
const tenants = new WeakMap<FastifyRequest, string>()

function addressOf({ ip }: FastifyRequest): string {
  return normalizeIP(ip, 64)
}

export async function limitRates(
  app: FastifyInstance,
  options: PluginOptions['rateLimits'],
  onThrottled: (name: LimitName) => void,
): Promise<Throttle> {
  await app.register(rateLimit, { global: false })
  const throttle = new Throttle(app, options, onThrottled)
  app.addHook('onRequest', request => throttle.countAddress(request))
  app.addHook('preParsing', request => throttle.countCredential(request))
  app.addHook('onSend', async (request, reply) => throttle.tell(request, reply))
  return throttle
}

/** For routes on which passwords or tokens could be guessed, or mails be caused. */
export const guessable = { isGuessable: true } satisfies FastifyContextConfig
