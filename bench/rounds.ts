import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** One side of a comparison: what is made ready outside the clock, and the work. */
export interface Side {
  readonly prepare: () => Promise<unknown>
  readonly run: (prepared: unknown) => Promise<unknown>
}

/** A side's work takes what its own preparation gives, whatever that is. */
export function side<T>(prepare: () => Promise<T>, run: (prepared: T) => Promise<unknown>): Side {
  return { prepare, run: run as Side['run'] }
}

export interface Comparison {
  readonly name: string
  readonly target: number
  readonly stock: Side
  readonly daybook: Side
  /** How often the work is done within one round. */
  readonly repeat: number
}

export interface Figure {
  readonly name: string
  readonly unit: 'ms' | 'ratio' | 'bytes' | 'per second'
  readonly stock?: number | undefined
  readonly daybook: number
  /** What is compared with the target: a ratio, or the figure itself. */
  readonly value: number
  readonly target?: number
  /** Where more is better, a figure below its target misses it. */
  readonly isAtLeast?: boolean
  /** The middle half of the rounds' own ratios. */
  readonly spread?: readonly [number, number]
}

/** Both sides in turn, A B A B, so that a slow minute of the machine slows both. */
export async function compare({ name, target, stock, daybook, repeat }: Comparison, rounds: number): Promise<Figure> {
  const sides = [stock, daybook]
  for (const each of sides) for (let warm = 0; warm < 2; warm++) await timeOf(each, repeat)
  const times: [number[], number[]] = [[], []]
  for (let round = 0; round < rounds; round++) for (const [index, each] of sides.entries()) times[index]!.push(await timeOf(each, repeat))
  const ratios = times[1].map((time, round) => time / times[0][round]!)
  const [a, b] = [median(times[0]), median(times[1])]
  return {
    name,
    unit: 'ms',
    stock: a,
    daybook: b,
    value: quantile(ratios, 0.5),
    target,
    spread: [quantile(ratios, 0.25), quantile(ratios, 0.75)],
  }
}

/** The median of some runs against a bound in milliseconds. Work of few milliseconds is repeated within a round, as in comparisons. */
export async function clock(name: string, target: number, rounds: number, run: () => Promise<unknown>, repeat = 1): Promise<Figure> {
  const work = side(async () => {}, run)
  for (let warm = 0; warm < Math.min(repeat, 2); warm++) await timeOf(work, repeat)
  const times: number[] = []
  for (let round = 0; round < rounds; round++) times.push(await timeOf(work, repeat))
  return { name, unit: 'ms', daybook: median(times), value: median(times), target, spread: [quantile(times, 0.25), quantile(times, 0.75)] }
}

/** Milliseconds for one piece of work. What earlier rounds left behind is collected first, outside the clock. */
async function timeOf({ prepare, run }: Side, repeat: number): Promise<number> {
  const prepared: unknown[] = []
  for (let index = 0; index < repeat; index++) prepared.push(await prepare())
  collectGarbage()
  const start = performance.now()
  for (const each of prepared) await run(each)
  return (performance.now() - start) / repeat
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5)
}

export function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  const place = (sorted.length - 1) * part
  const [low, high] = [sorted[Math.floor(place)]!, sorted[Math.ceil(place)]!]
  return low + (high - low) * (place - Math.floor(place))
}

setFlagsFromString('--expose-gc')
export const collectGarbage = runInNewContext('gc') as () => void
