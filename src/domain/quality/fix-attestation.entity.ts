import { type EntitySchema, p, type Ref } from '@mikro-orm/core'
import { tenantEntity, TenantRow } from '../../orm/index.ts'
import { ErrorSignature } from './error-signature.entity.ts'
import { Project } from './project.entity.ts'

export const fixStatuses = ['SUCCESS', 'PARTIAL', 'FAILED'] as const
export type FixStatus = (typeof fixStatuses)[number]

/** That a fix was made, and what it changed: a link in its project's chain, each of which holds the hash of the one before. */
export class FixAttestation extends TenantRow {
  declare project: Ref<Project>
  declare signature?: Ref<ErrorSignature> | null
  declare requestId: string
  declare sequence: number
  declare hash: string
  declare prevHash: string
  declare filesChanged: number
  declare linesAdded: number
  declare linesRemoved: number
  declare status: FixStatus
}

export const FixAttestationSchema: EntitySchema<FixAttestation> = tenantEntity({
  class: FixAttestation,
  properties: {
    project: () => p.manyToOne(Project).ref(),
    signature: () => p.manyToOne(ErrorSignature).ref().nullable(),
    requestId: p.text(),
    sequence: p.integer(),
    hash: p.text(),
    prevHash: p.text(),
    filesChanged: p.integer(),
    linesAdded: p.integer(),
    linesRemoved: p.integer(),
    status: p.enum(fixStatuses),
  },
  uniques: [{ properties: ['project', 'sequence'] }],
  checks: [
    { name: 'fix_attestation_counts', expression: 'sequence > 0 and files_changed >= 0 and lines_added >= 0 and lines_removed >= 0' },
  ],
  access: 'append',
})
