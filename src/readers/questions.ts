import { isId } from '../kernel/id.ts'
import { MomentInvalidError, QuestionInvalidError } from './readers.errors.ts'

/** What a question gives is looked at before the database refuses it in words of its own. */
export function requireId<T extends string | undefined>(name: string, given: T): T {
  if (given !== undefined && !isId(given)) throw new QuestionInvalidError(name, 'a UUID', given)
  return given
}

/** A place in the log, or a number of places. */
export function requirePosition<T extends number | undefined>(name: string, given: T): T {
  if (given !== undefined && !(Number.isSafeInteger(given) && given >= 0)) throw new QuestionInvalidError(name, 'a whole number', given)
  return given
}

export function requireMoment<T extends Date | undefined>(given: T): T {
  if (given && Number.isNaN(given.getTime())) throw new MomentInvalidError(String(given))
  return given
}
