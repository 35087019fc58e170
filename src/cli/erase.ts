import { createInterface } from 'node:readline/promises'
import { erasePerson, isTold, rowsNaming } from '../audit/index.ts'
import { type ScopeInput, systemActor } from '../context/index.ts'
import { User } from '../entities.ts'
import type { Daybook, ScopedEntityManager } from '../orm/index.ts'
import { UsageError } from './usage-error.ts'

export interface Erasure {
  /** One organization's log; without it every log, the person's own too. */
  readonly tenant: string | undefined
  readonly person?: string
  readonly email?: string
  readonly isAgreed: boolean
}

/** Destroys the keys of a person and of the rows that hold their address, after a look at which. 0: done; 1: nothing of them is told, or not agreed. */
export async function eraseTold(daybook: Daybook, { tenant, isAgreed, ...who }: Erasure): Promise<number> {
  const actor = systemActor('audit')
  const scope: ScopeInput = tenant
    ? { tenant, actor, reason: 'audit erase' }
    : { kind: 'operator', actor, reason: 'a person is to be erased from every log' }
  // Whoever is asked takes their time, so that no transaction waits for the answer.
  const told = await daybook.transact(scope, em => toldOf(em, who), { unlogged: true })
  if (told.size === 0) {
    console.log(`Nothing is told of them in ${logOf(tenant)}, or it was erased already.`)
    return 1
  }
  console.log(sentence(tenant, told))
  if (!(isAgreed || (await agreed()))) {
    console.log('Nothing was erased.')
    return 1
  }
  await daybook.transact(
    scope,
    async em => {
      for (const id of told.keys()) await erasePerson(em, id)
    },
    { unlogged: true },
  )
  console.log(`Erased: ${told.size}.`)
  return 0
}

/** By their id what they are in the log's words. A person's rows are found by their address, which may be a user's. */
async function toldOf(em: ScopedEntityManager, { person, email }: Pick<Erasure, 'person' | 'email'>): Promise<Map<string, string>> {
  const user = person && (await em.findOne(User, person, { filters: false }))
  const addresses = new Set([email, user ? user.email : undefined].filter(address => address !== undefined))
  const named = new Map(person ? [[person, 'person']] : [])
  for (const address of addresses) for (const { entity, id } of await rowsNaming(em, address)) if (!named.has(id)) named.set(id, entity)
  const told = new Map<string, string>()
  for (const [id, what] of named) if (await isTold(em, id)) told.set(id, what)
  return told
}

const logOf = (tenant: string | undefined) => (tenant ? `the log of ${tenant}` : 'any log')

function sentence(tenant: string | undefined, told: ReadonlyMap<string, string>): string {
  return [
    `What ${logOf(tenant)} tells of these will read as erased, for everybody and for good:`,
    ...[...told].map(([id, what]) => `  ${what} ${id}`),
    'Their rows stay as they are: blank or delete them before.',
  ].join('\n')
}

async function agreed(): Promise<boolean> {
  if (!process.stdin.isTTY) throw new UsageError(['There is no terminal to ask whether to erase them: look at the list, then add --yes.'])
  const lines = createInterface({ input: process.stdin, output: process.stderr })
  try {
    return (await lines.question('Type "erase" to destroy their keys: ')).trim() === 'erase'
  } finally {
    lines.close()
  }
}
