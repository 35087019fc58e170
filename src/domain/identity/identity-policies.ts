import type { PolicyDef } from '@mikro-orm/core'
import { claimedDigestSql, currentUserSql, inIdentityScopeSql } from '../../orm/index.ts'

/**
 * Rows that only their person may touch, and only in an identity scope: no tenant's query, however raw, finds a hash or a token.
 * A person may also bring their own row along while registering, which happens in the new tenant's scope.
 */
export function ownRowsOnly(column: string, digestColumn?: string): PolicyDef[] {
  const own = `${column} = ${currentUserSql}`
  const shown = digestColumn ? `(${own} or ${digestColumn} = ${claimedDigestSql})` : own
  const visible = `${inIdentityScopeSql} and ${shown}`
  return [
    { name: 'own_select', command: 'select', using: visible },
    { name: 'own_insert', command: 'insert', check: own },
    { name: 'own_update', command: 'update', using: visible, check: visible },
    { name: 'own_delete', command: 'delete', using: visible },
  ]
}
