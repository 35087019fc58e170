/**
 * Ledger: the proof over the log, by which anybody can check that nothing in it was changed, removed or put in: sealing, checkpoints, proofs,
 * verification.
 */
export { type Anchor, fileAnchor } from './anchor.ts'
export { AuditCheckpoint, AuditCheckpointSchema } from './audit-checkpoint.entity.ts'
export { eventLeaf, type StoredEvent } from './event-leaf.ts'
export { headOf } from './log.ts'
export { verifiersOf } from './ledger-keys.ts'
export { leafHash } from './merkle.ts'
export { type ConsistencyProof, consistencyProof, type InclusionProof, inclusionProof } from './proofs.ts'
export { countUnsealed, originOf, sealLog, type SealOptions } from './seal.ts'
export {
  type Checkpoint,
  notesIn,
  openCheckpoint,
  parseCheckpoint,
  parseNote,
  parseVerifierKey,
  type Verifier,
  verifierKey,
} from './signed-note.ts'
export { type Consistency, type Inclusion, verifyConsistency, verifyInclusion } from './verify-proofs.ts'
export type { LogProblem } from './log-problem.ts'
export { type Verification, verifyLog, type VerifyOptions } from './verify-log.ts'
export { Tiles } from './tiles.ts'
