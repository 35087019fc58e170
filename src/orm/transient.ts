import pg from 'pg'

interface Failure {
  readonly code?: string
  readonly message?: string
  readonly cause?: unknown
}

/** A transaction that lost against another, or was chosen to end a deadlock. Nothing of it was written. */
export function isConflict(error: unknown): boolean {
  return ['40001', '40P01'].includes(codeOf(error))
}

/** A statement that was refused because one before it had failed, whose answer nobody waited for. */
export function isAfterFailure(error: unknown): boolean {
  return codeOf(error) === '25P02'
}

/** Somebody else held a lock for longer than the transaction would wait. Nothing of it was written. */
export function isLockRefused(error: unknown): boolean {
  return codeOf(error) === '55P03'
}

const goneStates = ['08000', '08001', '08003', '08006', '57P01', '57P02', '57P03']
const goneSystemCodes = ['ECONNRESET', 'ECONNREFUSED', 'EPIPE', 'ETIMEDOUT']
const goneWords = /connection terminated|connection error and is not queryable|was closed and is not queryable/i

/** The server, or the way to it, went away. What was under way may have been done, unless it was inside a transaction. */
export function isLostConnection(error: unknown): boolean {
  const code = codeOf(error)
  if (goneStates.includes(code) || goneSystemCodes.includes(code)) return true
  const { message = '', cause } = (error ?? {}) as Failure
  return goneWords.test(message) || (cause !== undefined && isLostConnection(cause))
}

/** Whether a failed commit may have happened all the same: only a server's plain "no", and a commit that never left, rule it out. */
export function leavesDoubt(error: unknown): boolean {
  if (error instanceof pg.DatabaseError) return error.severity !== 'ERROR' || error.code === '40003'
  return !/is not queryable/.test((error as Failure | undefined)?.message ?? '')
}

function codeOf(error: unknown): string {
  return (error as Failure | undefined)?.code ?? ''
}
