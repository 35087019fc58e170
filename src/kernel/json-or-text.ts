/** What somebody elsewhere has said: JSON where it is, and otherwise the text. */
export function jsonOrText(body: string): unknown {
  try {
    return JSON.parse(body) as unknown
  } catch {
    return body
  }
}
