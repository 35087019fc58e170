import { randomBytes } from 'node:crypto'
import { crc32 } from 'node:zlib'
import type { ApiKeyEnvironment } from './api-key.entity.ts'
import { tenantBytes, tenantOf } from '../../kernel/token-of-tenant.ts'

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const bodyLength = 65 // 48 bytes in base 62
const checksumLength = 6
const form = new RegExp(`^dbk_(live|test)_([0-9A-Za-z]{${bodyLength}})([0-9A-Za-z]{${checksumLength}})$`)

/**
 * `dbk_live_` and then, in letters and digits that a double click selects: the tenant's id, 256 random bits, and a checksum, by which a
 * mistyped or invented key is refused without asking the database, and scanners for leaked secrets can tell a real one.
 */
export function newKey(tenantId: string, environment: ApiKeyEnvironment): string {
  const head = `dbk_${environment.toLowerCase()}_`
  const body = encode(BigInt(`0x${Buffer.concat([tenantBytes(tenantId), randomBytes(32)]).toString('hex')}`), bodyLength)
  return head + body + checksum(head + body)
}

/** The tenant whose key this is, or undefined when it is none of ours. */
export function tenantOfKey(key: string): string | undefined {
  const match = form.exec(key)
  if (!match || checksum(key.slice(0, -checksumLength)) !== match[3]) return undefined
  const bytes = decode(match[2]!).toString(16).padStart(96, '0')
  return bytes.length === 96 ? tenantOf(Buffer.from(bytes.slice(0, 32), 'hex')) : undefined
}

/** By which people tell their keys apart: its kind and its last four characters before the checksum. */
export function recognizablePart(key: string): string {
  return `${key.slice(0, 9)}…${key.slice(-checksumLength - 4, -checksumLength)}`
}

function checksum(text: string): string {
  return encode(BigInt(crc32(text)), checksumLength)
}

function encode(value: bigint, length: number): string {
  let text = ''
  for (let rest = value; rest > 0n; rest /= 62n) text = alphabet[Number(rest % 62n)] + text
  return text.padStart(length, '0')
}

function decode(text: string): bigint {
  return text.split('').reduce((value, letter) => value * 62n + BigInt(alphabet.indexOf(letter)), 0n)
}
