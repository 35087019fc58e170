import type { EntityProperty, MetadataStorage } from '@mikro-orm/core'
import { auditedTableOf } from '../audit/index.ts'

export const redacted = '[redacted]'

/** What is never told of a thing, whosever it is. */
const alwaysHidden = /passw(?:or)?d|secret|token|authorization|cookie|credential|api[-_]?key|keys?hash|session|signature|otp$/i
/** Our keys and sessions, what precedes anybody's, what addresses ask for, and addresses of people. */
const shapes = [
  /\bdbk_[A-Za-z0-9_]+/g,
  /\b(?:Bearer|Basic) +[^\s"',]+/gi,
  /(?<=[\w/])\?[^\s"'<>]+/g,
  /\bdaybook_session=[^\s;"',]+/g,
  /[^\s@"'<>(),:;=]+@[^\s@"'<>(),:;]+\.[A-Za-z]{2,}/g,
]
const deepest = 6

/**
 * Takes out of what is logged whatever the entities' declarations call secret or personal, by the names of properties and of columns, at any
 * depth; what is always secret; and in texts what looks like a credential or an e-mail address.
 */
export class Redaction {
  readonly #hidden: ReadonlySet<string>

  constructor(metadata: MetadataStorage) {
    this.#hidden = new Set([...metadata.getAll().values()].flatMap(meta => hiddenIn(meta)))
  }

  hides(name: string): boolean {
    return this.#hidden.has(name) || alwaysHidden.test(name)
  }

  /** `known`: what has a serializer of its own. */
  line(logged: Record<string, unknown>, known: ReadonlySet<string>): Record<string, unknown> {
    return this.#fields(logged, new Set(), name => known.has(name))
  }

  text(text: string): string {
    return shapes.reduce((rest, shape) => rest.replaceAll(shape, redacted), text)
  }

  value(value: unknown): unknown {
    return this.#value(value, new Set())
  }

  #value(value: unknown, above: ReadonlySet<object>): unknown {
    if (typeof value === 'string') return this.text(value)
    if (typeof value !== 'object' || value === null) return value
    if (above.has(value) || above.size >= deepest || ArrayBuffer.isView(value)) return redacted
    if (value instanceof Error) return { type: value.constructor.name, message: this.foreignMessage(value.message) }
    const within = new Set([...above, value])
    if (Array.isArray(value)) return value.map(item => this.#value(item, within))
    if ('toJSON' in value && typeof value.toJSON === 'function') return this.#value((value as { toJSON(): unknown }).toJSON(), within)
    return this.#fields(value, within, () => false)
  }

  #fields(object: object, above: ReadonlySet<object>, isKnown: (name: string) => boolean): Record<string, unknown> {
    return Object.fromEntries(
      Object.entries(object).map(([name, value]) => {
        if (isKnown(name)) return [name, value]
        return [name, this.hides(name) ? redacted : this.#value(value, above)]
      }),
    )
  }

  /** Of an error that isn't ours: its first line without what it quotes, for the ORM quotes whole entities, and the engine pieces of bodies. */
  foreignMessage(message: string): string {
    const [first = ''] = message.split('\n', 1)
    return this.text(first.replaceAll(/"[^"]*"?|`[^`]*`?|(?<!\w)'[^']*'?(?!\w)/g, '“…”'))
  }
}

function hiddenIn(meta: Parameters<typeof auditedTableOf>[0]): string[] {
  const table = auditedTableOf(meta)
  if (!table) return []
  const columns = [...table.secret, ...table.personal]
  return meta.props.filter(({ fieldNames }) => fieldNames?.some(column => columns.includes(column))).flatMap(namesOf)
}

/** Of what is embedded also the object's that holds it. */
function namesOf({ name, fieldNames, embedded }: EntityProperty): string[] {
  return [name, ...fieldNames, ...(embedded ? [embedded[0]] : [])]
}
