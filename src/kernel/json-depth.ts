/** Deeper than this no request of ours goes, and whatever walks through a value has stack enough for it. */
export const deepestJson = 64

/**
 * Whether lists and objects stand inside of one another deeper than that. It is found out from the text: a few kilobytes can be so deep that
 * whoever walks through what was parsed runs out of stack.
 */
export function isTooDeep(json: string): boolean {
  let depth = 0
  let isInText = false
  for (let at = 0; at < json.length; at++) {
    const character = json[at]!
    if (character === '\\') at++
    else if (character === '"') isInText = !isInText
    else if (isInText) continue
    else if (character === '[' || character === '{') depth++
    else if (character === ']' || character === '}') depth--
    if (depth > deepestJson) return true
  }
  return false
}
