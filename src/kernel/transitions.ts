import { DaybookError } from './error.ts'

/** Which states may follow each state. */
export type Transitions<State extends string> = Readonly<Record<State, readonly State[]>>

/** The state that something comes into, refused where it may not follow the one that it is in. */
export function nextState<State extends string>(
  what: string,
  transitions: Transitions<State>,
  from: NoInfer<State>,
  to: NoInfer<State>,
): State {
  const allowed = transitions[from]
  if (!allowed.includes(to)) throw new TransitionRefusedError(what, from, to, allowed)
  return to
}

export class TransitionRefusedError extends DaybookError {
  readonly code = 'state.transition_refused'

  constructor(what: string, from: string, to: string, allowed: readonly string[]) {
    const wayOut = allowed.length > 0 ? `From here it can become ${allowed.join(', ')}.` : 'It stays so for good.'
    super(`${what} that is ${from} can't become ${to}. ${wayOut}`, { from, to, allowed })
  }
}
