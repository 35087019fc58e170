import type { VolumeProgress } from './fill-volume.ts'

const whole = new Intl.NumberFormat('en')

/** `120,000 of 1,000,000 rows (12 %), 8,500 a second, 1 min 44 s left`. */
export function progressLine({ of, written, found }: VolumeProgress, elapsedMs: number): string {
  const done = written + found
  const rate = elapsedMs > 0 ? (written / elapsedMs) * 1_000 : 0
  const left = rate > 0 && done < of ? `, ${durationOf((of - done) / rate)} left` : ''
  const before = found > 0 ? ` (${whole.format(found)} were there)` : ''
  const share = Math.floor((done / of) * 100)
  return `${whole.format(done)} of ${whole.format(of)} rows${before}, ${share} %, ${whole.format(Math.round(rate))} a second${left}`
}

export function durationOf(seconds: number): string {
  const all = Math.round(seconds)
  return all < 60 ? `${all} s` : `${Math.floor(all / 60)} min ${all % 60} s`
}
