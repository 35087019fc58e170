import { lookup as resolve, type LookupAddress } from 'node:dns'
import { request as overHttp } from 'node:http'
import { request as overHttps, type RequestOptions } from 'node:https'
import { BlockList, isIP, type LookupFunction } from 'node:net'
import { DaybookError } from './error.ts'

export interface Outgoing {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  readonly timeoutMs: number
}

export interface Answer {
  readonly status: number
  /** No more than the first 64 KiB. */
  readonly body: string
}

/** Posts something to an address that a customer has given. */
export type Post = (request: Outgoing) => Promise<Answer>

export interface OutgoingOptions {
  /** For tests, and for installations whose receivers stand in the same private network. */
  readonly allowPrivate?: boolean
}

const mostBytes = 64 * 1024

/**
 * Whoever gives an address could give one of ours: the metadata service of the cloud, a database, the host itself. So only public addresses
 * are called, over TLS; the name is looked up by the connection itself, so that it can't answer differently the second time; and redirections
 * aren't followed.
 */
export function guardedPost({ allowPrivate = false }: OutgoingOptions = {}): Post {
  return async ({ url, headers, body, timeoutMs }) => {
    const { protocol, hostname } = requireAddress(url, allowPrivate)
    const options: RequestOptions = {
      method: 'POST',
      headers: { ...headers, 'content-length': Buffer.byteLength(body) },
      agent: false,
      lookup: allowPrivate ? undefined : lookupPublic,
      signal: AbortSignal.timeout(timeoutMs),
    }
    const { promise, resolve: answer, reject } = Promise.withResolvers<Answer>()
    const fail = (error: Error) => reject(error.name === 'AbortError' ? new AnswerLateError(hostname, timeoutMs) : error)
    const request = (protocol === 'https:' ? overHttps : overHttp)(url, options, response => {
      let text = ''
      const done = () => answer({ status: response.statusCode!, body: text })
      response.setEncoding('utf8').on('data', (part: string) => {
        text += part.slice(0, mostBytes - text.length)
        if (text.length < mostBytes) return
        done()
        response.destroy()
      })
      response.on('end', done).on('error', fail)
    })
    request.on('error', fail)
    request.end(body)
    return promise
  }
}

/** Refuses an address that would never be called, when it is given and not when it is used. */
export function requireAddress(url: string, allowPrivate = false): URL {
  const address = URL.parse(url)
  if (!address || !['https:', 'http:'].includes(address.protocol)) throw new AddressRefusedError('it is no https URL')
  if (allowPrivate) return address
  if (address.protocol !== 'https:') throw new AddressRefusedError('it is no https URL')
  if (address.username || address.password) throw new AddressRefusedError('it holds a password')
  const host = address.hostname.replace(/^\[|\]$/g, '')
  if (isIP(host) ? !isPublic(host) : isLocalName(host)) throw new AddressRefusedError('it is not a public address')
  return address
}

/** A single word, and what names set aside for the machine, its own network or tests (RFC 6761, 6762, 8375) end with, or are commonly given there. */
function isLocalName(host: string): boolean {
  const name = host.replace(/\.+$/, '')
  return !name.includes('.') || /\.(?:localhost|localdomain|local|lan|internal|test|home\.arpa)$/.test(name)
}

const lookupPublic: LookupFunction = (hostname, options, callback) => {
  resolve(hostname, { ...options, all: true }, (error, found: LookupAddress[]) => {
    if (error) return callback(error, '', 0)
    const [first] = found
    if (!first || found.some(({ address }) => !isPublic(address))) {
      return callback(new AddressRefusedError('it is not a public address'), '', 0)
    }
    if (options.all) callback(null, found)
    else callback(null, first.address, first.family)
  })
}

const unroutable = new BlockList()
const notPublic = `0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24
  192.0.2.0/24 192.88.99.0/24 192.168.0.0/16 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/4 240.0.0.0/4`
for (const range of notPublic.split(/\s+/)) {
  const [network, bits] = range.split('/') as [string, string]
  unroutable.addSubnet(network, Number(bits), 'ipv4')
}
// Inside of what IPv6 routes: what protocols have set aside for themselves (Teredo, benchmarks, hashes), documentation, and 6to4, which wraps
// an IPv4 address.
for (const [network, bits] of [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
] as const)
  unroutable.addSubnet(network, bits, 'ipv6')
const global = new BlockList()
global.addSubnet('2000::', 3, 'ipv6')

export function isPublic(address: string): boolean {
  if (isIP(address) === 4) return !unroutable.check(address, 'ipv4')
  return global.check(address, 'ipv6') && !unroutable.check(address, 'ipv6')
}

export class AddressRefusedError extends DaybookError {
  readonly code = 'outgoing.address_refused'

  constructor(because: string) {
    super(`This address can't be called: ${because}. Give a public https address.`)
  }
}

export class AnswerLateError extends DaybookError {
  readonly code = 'outgoing.answer_late'

  constructor(host: string, timeoutMs: number) {
    super(`${host} did not answer within ${timeoutMs} ms.`, { host, timeoutMs })
  }
}
