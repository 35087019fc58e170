import { AsyncLocalStorage } from 'node:async_hooks'

/** Whose flush is under way, for whatever is called in the middle of it. What is called beside it isn't in it. */
export const flushing = new AsyncLocalStorage<object>()
