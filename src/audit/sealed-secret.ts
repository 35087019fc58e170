import type { Keyring } from '../kernel/keyring.ts'
import type { ScopedEntityManager, TenantRow } from '../orm/index.ts'
import { KeyringMissingError, SecretLockedError } from './audit.errors.ts'
import { keyringOf } from './capture.ts'

/**
 * What a row keeps of a secret that must be read again, so that a hash won't do: the key of a provider, the token of a calendar. Sealed
 * under a master key that the database never sees, for this row alone; in another row, or another tenant's, it doesn't open.
 */
export async function sealSecret(em: ScopedEntityManager, row: TenantRow, secret: string): Promise<string> {
  return (await keyringFor(em, row)).seal(Buffer.from(secret), contextOf(row))
}

export async function openSecret(em: ScopedEntityManager, row: TenantRow, sealed: string): Promise<string> {
  const opened = (await keyringFor(em, row)).open(sealed, contextOf(row))
  if (!opened) throw new SecretLockedError(row.constructor.name, row.id)
  return opened.toString()
}

function contextOf({ tenantId, id }: TenantRow): string {
  return `secret:${tenantId}:${id}`
}

function keyringFor(em: ScopedEntityManager, row: TenantRow): Promise<Keyring> {
  const keyring = keyringOf(em)
  if (!keyring) throw new KeyringMissingError(row.constructor.name)
  return keyring()
}
