export type Outcome = 'created' | 'kept' | 'skipped'

/** Says for each thing what became of it, and counts. */
export class SeedReport {
  readonly counts: Record<Outcome, number> = { created: 0, kept: 0, skipped: 0 }
  readonly #print: (line: string) => void

  constructor(print: (line: string) => void) {
    this.#print = print
  }

  tell(outcome: Outcome, thing: string, rows = 1): void {
    this.counts[outcome] += rows
    this.#print(`  ${outcome.padEnd(7)} ${thing}`)
  }

  summary(): string {
    const { created, kept, skipped } = this.counts
    const nothing = created === 0 ? ': nothing has changed' : ''
    return `${created} created, ${kept} kept, ${skipped} skipped${nothing}`
  }
}
