/** Reads PostgreSQL's array literal, `{a,"b c",NULL}`, as PostgreSQL does: what stands without quotes loses its spaces, and null is null. */
export function parseArrayLiteral(literal: string): unknown[] {
  const tokens = literal.matchAll(/[{},]|"(?:[^"\\]|\\.)*"|[^{},"]+/gs)
  const stack: unknown[][] = []
  let done: unknown[] = []
  for (const [token] of tokens) {
    if (token === '{') {
      const array: unknown[] = []
      stack.at(-1)?.push(array)
      stack.push(array)
    } else if (token === '}') done = stack.pop()!
    else if (token !== ',' && token.trim() !== '') stack.at(-1)!.push(element(token))
  }
  return done
}

function element(token: string): string | null {
  if (token.startsWith('"')) return token.slice(1, -1).replaceAll(/\\(.)/gs, '$1')
  const bare = token.trim()
  return bare.toLowerCase() === 'null' ? null : bare
}
