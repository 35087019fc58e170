import { keyBytes } from './keyring.ts'
import { isOrigin } from './origin.ts'

export type Env = Readonly<Record<string, string | undefined>>

export const listOf = (text = ''): string[] =>
  text
    .split(',')
    .map(part => part.trim())
    .filter(Boolean)

/** Reads settings and gathers what is wrong with them, so that all of it is told at once. */
export class EnvReader {
  readonly problems: string[] = []
  readonly #env: Env

  constructor(env: Env) {
    this.#env = env
  }

  text(name: string): string | undefined {
    return this.#env[name] || undefined
  }

  oneOf<const T extends string, F extends T | undefined>(name: string, allowed: readonly T[], fallback: F): T | F {
    const value = this.#env[name]
    if (!value) return fallback
    if (allowed.includes(value as T)) return value as T
    this.problems.push(`${name} is "${value}", expected one of ${allowed.join(', ')}.`)
    return fallback
  }

  integer<F extends number | undefined>(name: string, fallback: F, { from, to }: { from: number; to: number }): number | F {
    const value = this.#env[name]
    if (!value) return fallback
    const number = Number(value)
    if (Number.isInteger(number) && number >= from && number <= to) return number
    this.problems.push(`${name} is "${value}", expected a whole number from ${from} to ${to}.`)
    return fallback
  }

  /** As browsers send them: a pattern, a path or a slash behind one would match nothing, or too much. */
  origins(name: string): string[] {
    const origins = listOf(this.#env[name])
    for (const origin of origins.filter(each => !isOrigin(each)))
      this.problems.push(`${name} holds "${origin}", expected origins like https://app.example.com, separated by commas.`)
    return origins
  }

  /** Never repeats the value. */
  token(name: string, shortest: number): string | undefined {
    const value = this.#env[name]
    if (value && value.length < shortest)
      this.problems.push(`${name} is shorter than ${shortest} characters. Make one with \`openssl rand -base64 32\`.`)
    return value || undefined
  }

  webAddress(name: string): string | undefined {
    const value = this.#env[name]
    if (!value) return undefined
    const isOne = ['http:', 'https:'].includes(URL.parse(value)?.protocol ?? '')
    if (!isOne) this.problems.push(`${name} is "${value}", expected an address like https://api.example.com.`)
    return value
  }

  /** Never repeats the value: it is a key. */
  keys(name: string): string[] | undefined {
    const value = this.#env[name]
    if (!value) return undefined
    const keys = listOf(value)
    const wrong = keys.findIndex(key => Buffer.from(key, 'base64').length !== keyBytes)
    if (wrong >= 0)
      this.problems.push(
        `${name}: key ${wrong + 1} is not ${keyBytes} bytes in base64. Make one with \`openssl rand -base64 ${keyBytes}\`.`,
      )
    return keys
  }

  /** One that was given under that name, or else the environment's, is looked at in the same way. Never repeats the value: it holds a password. */
  databaseUrl(name: string, value = this.#env[name]): string | undefined {
    if (!value) return undefined
    const url = URL.parse(value)
    const shape = 'postgresql://user:password@host:5432/database'
    if (!url || !['postgres:', 'postgresql:'].includes(url.protocol))
      this.problems.push(`${name} is not a PostgreSQL URL, expected ${shape}. ${encoded}`)
    else if (isCutShort(url)) this.problems.push(`${name} ends too early, expected ${shape}. ${encoded}`)
    else if (!url.username) this.problems.push(`${name} names no role, expected ${shape}.`)
    else if (url.pathname.length < 2) this.problems.push(`${name} names no database, expected ${shape}.`)
    else this.#parametersOf(name, url.searchParams)
    return value
  }

  /** What would encrypt less than it says must not be passed over; other words are for other tools. */
  #parametersOf(name: string, parameters: URLSearchParams): void {
    const mode = parameters.get('sslmode')
    if (mode !== null && !sslModes.includes(mode))
      this.problems.push(`${name} has sslmode=${mode}, expected one of ${sslModes.join(', ')}.`)
    if (parameters.has('sslrootcert'))
      this.problems.push(`${name} has sslrootcert, which is not read there. Set NODE_EXTRA_CA_CERTS to its path.`)
    if (parameters.has('sslcert') || parameters.has('sslkey'))
      this.problems.push(`${name} names a client's certificate, which is not read. A role is known by its password.`)
  }
}

const encoded = 'In its password write @ as %40, / as %2F, # as %23, ? as %3F and % as %25.'

/** By a character of a password that means something in a URL: what comes behind it would be taken for a host or a database, and be told. */
function isCutShort({ username, password, pathname, search, hash }: URL): boolean {
  return hash !== '' || search.includes('@') || /[/@]/.test(pathname.slice(1)) || ![username, password, pathname].every(isEncoded)
}

function isEncoded(part: string): boolean {
  try {
    decodeURIComponent(part)
    return true
  } catch {
    return false
  }
}

const sslModes: readonly string[] = ['disable', 'no-verify', 'require', 'verify-ca', 'verify-full']
