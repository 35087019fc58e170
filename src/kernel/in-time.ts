/** What it comes to, unless that takes longer. The signal tells it to stop; whatever it says after that counts for nothing. */
export async function inTime<T>(limitMs: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const stop = new AbortController()
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => {
    const reason = new DOMException(`There was no answer within ${limitMs} ms.`, 'TimeoutError')
    late.reject(reason)
    stop.abort(reason)
  }, limitMs)
  try {
    return await Promise.race([work(stop.signal), late.promise])
  } finally {
    clearTimeout(timer)
  }
}

/** Waits until it is over, and no longer than that; then it goes on by itself. */
export async function waitUpTo(limitMs: number, work: Promise<void>): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, limitMs)
  await Promise.race([work, promise]).finally(() => clearTimeout(timer))
}
