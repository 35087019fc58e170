/** `database` is not in the list: it is what the log writes when a change came without any scope. */
export const actorTypes = ['user', 'api_key', 'agent', 'system'] as const
export type ActorType = (typeof actorTypes)[number]

/** Who acts. A system actor's id is the name of what runs (`seeder`, `retention`); every other id is a UUID. */
export interface Actor {
  readonly type: ActorType
  readonly id: string
}

type Identified = string | { readonly id: string }

export const userActor = (user: Identified): Actor => ({ type: 'user', id: idOf(user) })
export const apiKeyActor = (key: Identified): Actor => ({ type: 'api_key', id: idOf(key) })
export const agentActor = (agent: Identified): Actor => ({ type: 'agent', id: idOf(agent) })
export const systemActor = (name: string): Actor => ({ type: 'system', id: name })

/** Nothing has an empty id, which no scope takes: without types, and in a session that has ended, nothing is what is given. */
export function idOf(thing: Identified | null | undefined): string {
  return typeof thing === 'string' ? thing : (thing?.id ?? '')
}
