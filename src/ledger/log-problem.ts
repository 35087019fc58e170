/** The first thing in a log that doesn't fit. */
export interface LogProblem {
  readonly kind: 'changed' | 'removed' | 'inserted' | 'reordered' | 'rewritten' | 'tile' | 'checkpoint' | 'note'
  /** Of the leaf. */
  readonly position: number
  /** Of the event, where it is there; of the one before, where it isn't. */
  readonly seq?: number
  readonly eventId?: string
  readonly message: string
}

/** Ends a verification where it stands. */
export class Misfit extends Error {
  readonly problem: LogProblem

  constructor(problem: LogProblem) {
    super(problem.message)
    this.problem = problem
  }
}
