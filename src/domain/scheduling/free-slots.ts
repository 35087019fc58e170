/** From a moment until just before another, in milliseconds. */
export interface Span {
  readonly from: number
  readonly to: number
}

export interface SlotShape {
  readonly durationMs: number
  /** Slots begin at multiples of it. */
  readonly stepMs: number
  readonly limit: number
}

/** The first slots in which everybody works and nobody is busy. `working` has the spans of each person, in any order. */
export function freeSlots(busy: readonly Span[], working: readonly (readonly Span[])[], { durationMs, stepMs, limit }: SlotShape): Span[] {
  const [first = [], ...others] = working.map(merged)
  const shared = others.reduce(intersection, first)
  const slots: Span[] = []
  for (const { from, to } of difference(shared, merged(busy))) {
    for (let start = Math.ceil(from / stepMs) * stepMs; start + durationMs <= to; start += stepMs) {
      if (slots.length === limit) return slots
      slots.push({ from: start, to: start + durationMs })
    }
  }
  return slots
}

/** In order, and joined where they touch. */
function merged(spans: readonly Span[]): Span[] {
  const result: Span[] = []
  for (const span of spans.filter(({ from, to }) => from < to).toSorted((a, b) => a.from - b.from)) {
    const last = result.at(-1)
    if (last && span.from <= last.to) result[result.length - 1] = { from: last.from, to: Math.max(last.to, span.to) }
    else result.push(span)
  }
  return result
}

/** Both are merged; a step goes on in the one that ends first. */
function intersection(left: readonly Span[], right: readonly Span[]): Span[] {
  const result: Span[] = []
  for (let [l, r] = [0, 0]; l < left.length && r < right.length;) {
    const [a, b] = [left[l]!, right[r]!]
    const span = { from: Math.max(a.from, b.from), to: Math.min(a.to, b.to) }
    if (span.from < span.to) result.push(span)
    if (a.to < b.to) l++
    else r++
  }
  return result
}

function difference(spans: readonly Span[], without: readonly Span[]): Span[] {
  const gaps = without.map(({ to }, index) => ({ from: to, to: without[index + 1]?.from ?? Infinity }))
  return intersection(spans, [{ from: -Infinity, to: without[0]?.from ?? Infinity }, ...gaps])
}
