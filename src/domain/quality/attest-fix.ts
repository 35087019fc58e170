import { canonicalJson } from '../../kernel/canonical-json.ts'
import { digest } from '../../kernel/secret.ts'
import type { ScopedEntityManager } from '../../orm/index.ts'
import type { ErrorSignature } from './error-signature.entity.ts'
import { FixAttestation, type FixStatus } from './fix-attestation.entity.ts'
import type { Project } from './project.entity.ts'
import { SignatureElsewhereError } from './quality.errors.ts'

export interface FixInput {
  readonly signature?: ErrorSignature
  readonly requestId: string
  readonly filesChanged: number
  readonly linesAdded: number
  readonly linesRemoved: number
  readonly status: FixStatus
}

/** What stands before the first link. */
const beginning = '0'.repeat(64)

/** Adds a link to the project's chain. Two at once take turns, so the chain has no fork. */
export async function attestFix(em: ScopedEntityManager, project: Project, input: FixInput): Promise<FixAttestation> {
  project.requireActive()
  if (input.signature && input.signature.project.id !== project.id) throw new SignatureElsewhereError(input.signature.id, project.slug)
  return em.transactional(async inner => {
    await inner.execute(`select pg_advisory_xact_lock(hashtextextended('daybook:attestations:' || ?, 0))`, [project.id])
    const [last] = await inner.find(FixAttestation, { project }, { orderBy: { sequence: 'desc' }, limit: 1 })
    const { signature, ...counted } = input
    const link = { ...counted, sequence: (last?.sequence ?? 0) + 1, prevHash: last?.hash ?? beginning }
    const hash = hashOf(project, { ...link, signature: signature?.id ?? null })
    return inner.create(FixAttestation, { ...link, project, signature: signature ?? null, hash })
  })
}

type Link = Omit<FixInput, 'signature'> & { readonly signature: string | null; readonly sequence: number; readonly prevHash: string }

function hashOf({ id, tenantId }: Project, link: Link): string {
  return digest(canonicalJson({ tenant: tenantId, project: id, ...link }))
}

export interface ChainReport {
  readonly length: number
  /** The first link that isn't what it was, or whose place isn't right. */
  readonly brokenAt?: number
}

/** Walks a project's chain from its beginning, some links at a time. */
export async function verifyAttestations(em: ScopedEntityManager, project: Project, batch = 1_000): Promise<ChainReport> {
  let [length, prevHash] = [0, beginning]
  for (;;) {
    const options = { orderBy: { sequence: 'asc' as const }, limit: batch, disableIdentityMap: true }
    const links = await em.find(FixAttestation, { project, sequence: { $gt: length } }, options)
    for (const { requestId, filesChanged, linesAdded, linesRemoved, status, sequence, hash, ...link } of links) {
      const told = { requestId, filesChanged, linesAdded, linesRemoved, status, sequence, prevHash, signature: link.signature?.id ?? null }
      const isWhole = sequence === length + 1 && link.prevHash === prevHash && hashOf(project, told) === hash
      if (!isWhole) return { length, brokenAt: length + 1 }
      length = sequence
      prevHash = hash
    }
    if (links.length < batch) return { length }
  }
}
