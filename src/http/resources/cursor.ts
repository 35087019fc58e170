import { canonicalJson } from '../../kernel/canonical-json.ts'
import type { Keyring } from '../../kernel/keyring.ts'
import { CursorRefusedError } from '../http.errors.ts'

/** The row behind which a page begins. */
export interface Position {
  readonly id: string
  /** What the list is sorted by, where that isn't the id. */
  readonly value?: string | number | boolean | null
}

/** Signed, so that nobody makes one up, and bound to the tenant, the list and the question: in another it would skip what nobody has seen. */
export function cursorAt(position: Position, keyring: Keyring, question: unknown): string {
  const text = Buffer.from(JSON.stringify(position.value === undefined ? [position.id] : [position.id, position.value])).toString(
    'base64url',
  )
  return `${text}.${keyring.sign(text, contextOf(question))}`
}

export function positionIn(cursor: string, keyring: Keyring, question: unknown): Position {
  const [text = '', signature = ''] = cursor.split('.')
  if (!keyring.isSigned(text, contextOf(question), signature)) throw new CursorRefusedError()
  const [id, value] = JSON.parse(Buffer.from(text, 'base64url').toString()) as [string, Position['value']]
  return value === undefined ? { id } : { id, value }
}

function contextOf(question: unknown): string {
  return `cursor ${canonicalJson(question)}`
}
