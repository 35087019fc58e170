import { AuditCheckpoint } from '../../../ledger/index.ts'
import { resource } from '../resource.ts'

// Numbers of the whole log tell how much others do.
export const log = [resource(AuditCheckpoint, { reserved: { fromSeq: 'manage', toSeq: 'manage' } })]
