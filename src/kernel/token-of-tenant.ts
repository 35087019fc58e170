/**
 * Invitations and API keys carry their tenant, so that they are looked up in that tenant's scope: nothing has to search across tenants
 * for a secret. An id tells nobody anything that the secret beside it wouldn't.
 */
export function tenantBytes(tenantId: string): Buffer {
  return Buffer.from(tenantId.replaceAll('-', ''), 'hex')
}

export function tenantOf(bytes: Buffer): string {
  const hex = bytes.toString('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20, 32)}`
}
