import { isTooDeep } from './json-depth.ts'

/** What somebody elsewhere has said: JSON where it is (and not too deep for whoever keeps it), and otherwise the text. */
export function jsonOrText(body: string): unknown {
  try {
    return isTooDeep(body) ? body : (JSON.parse(body) as unknown)
  } catch {
    return body
  }
}
