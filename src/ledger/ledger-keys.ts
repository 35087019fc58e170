import { keyringOf } from '../audit/index.ts'
import type { Keyring } from '../kernel/keyring.ts'
import { oncePer } from '../kernel/once-per.ts'
import type { ScopedEntityManager } from '../orm/index.ts'
import { LedgerKeyMissingError } from './ledger.errors.ts'
import { type Signer, signerFrom, type Verifier } from './signed-note.ts'

/** The keys that sign checkpoints, one from each master key: the first signs, all of them have signed once. */
export async function signersOf(em: ScopedEntityManager): Promise<readonly Signer[]> {
  const keyring = await keyringOf(em)?.()
  if (!keyring) throw new LedgerKeyMissingError()
  return signersFrom(keyring)
}

const signersFrom = oncePer((keyring: Keyring): readonly Signer[] => keyring.derive('checkpoints').map(signerFrom))

/** What to publish, once, and after each change of the master key: whoever has it can check this log without asking anybody. */
export async function verifiersOf(em: ScopedEntityManager, origin: string): Promise<Verifier[]> {
  return (await signersOf(em)).map(({ publicKey }) => ({ name: origin, publicKey }))
}
