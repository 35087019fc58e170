/** As much of a transaction as tells whether it has ended. */
interface Ending {
  readonly isCommitted: boolean
  readonly isRolledBack: boolean
}

const roots = new WeakMap<object, object>()

/** A savepoint lives as long as the transaction that it is in, which it doesn't know itself. */
export function noteSavepoint(savepoint: object, within: object): void {
  roots.set(savepoint, roots.get(within) ?? within)
}

/** Whether its connection may be somebody else's by now. */
export function hasEnded(transaction: object): boolean {
  const root = roots.get(transaction) as Ending | undefined
  return root !== undefined && (root.isCommitted || root.isRolledBack)
}
