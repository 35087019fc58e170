import { DaybookError } from '../kernel/error.ts'

/** A command that can't be done as it was given. */
export class UsageError extends Error {
  constructor(problems: readonly string[], usage?: string) {
    super([...problems, ...(usage ? [`Usage: ${usage}`] : [])].join('\n'))
  }
}

/** What a command says when it fails: words for whoever typed it, and a stack only for who has to mend it. */
export function wordsOf(error: unknown): unknown {
  return error instanceof DaybookError || error instanceof UsageError || isUnreadable(error) ? error.message : error
}

function isUnreadable(error: unknown): error is Error {
  return error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS')
}
