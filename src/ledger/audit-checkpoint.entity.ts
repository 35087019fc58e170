import { type EntitySchema, p } from '@mikro-orm/core'
import { moment, rowTrigger, tenantEntity, TenantRow } from '../orm/index.ts'
import { type Checkpoint, checkpointText, noteText } from './signed-note.ts'

/**
 * That a tenant's log had this tree at this size: signed, and written once. Where a checkpoint was published, a further row says where and when,
 * for a row never changes.
 */
export class AuditCheckpoint extends TenantRow {
  /** The first event that came in since the checkpoint before, and the last. */
  declare fromSeq: number
  declare toSeq: number
  declare treeSize: number
  declare rootHash: string
  /** The log's name in the note, and the name of its key. */
  declare origin: string
  /** As the note has it: which key, and its signature. */
  declare signature: string
  declare anchoredAt?: Date | null
  declare anchorTarget?: string | null

  checkpoint(): Checkpoint {
    return { origin: this.origin, size: this.treeSize, root: Buffer.from(this.rootHash, 'base64') }
  }

  /** What is published: a signed note, as other tools for transparency logs read it. */
  note(): string {
    const signature = { name: this.origin, bytes: Buffer.from(this.signature, 'base64') }
    return noteText({ text: checkpointText(this.checkpoint()), signatures: [signature] })
  }
}

export const AuditCheckpointSchema: EntitySchema<AuditCheckpoint> = tenantEntity({
  class: AuditCheckpoint,
  properties: {
    fromSeq: p.bigint('number'),
    toSeq: p.bigint('number'),
    treeSize: p.bigint('number'),
    rootHash: p.text(),
    origin: p.text(),
    signature: p.text(),
    anchoredAt: moment().nullable(),
    anchorTarget: p.text().nullable(),
  },
  uniques: [
    { name: 'audit_checkpoint_one_of_a_size', properties: ['treeSize'], where: 'anchor_target is null' },
    { name: 'audit_checkpoint_one_anchoring', properties: ['treeSize', 'anchorTarget'] },
  ],
  checks: [
    { name: 'audit_checkpoint_order', expression: 'tree_size > 0 and from_seq <= to_seq' },
    { name: 'audit_checkpoint_anchored', expression: '(anchored_at is null) = (anchor_target is null)' },
  ],
  triggers: [
    rowTrigger({
      table: 'audit_checkpoint',
      name: 'append_only',
      at: 'before',
      events: ['update', 'delete'],
      body: `begin raise exception using errcode = 'DB003', table = tg_table_name, message = format('%s of table "%s" is refused: checkpoints are only ever added', tg_op, tg_table_name); end;`,
    }),
  ],
  access: 'append',
  // Each would be an event to seal, and so on.
  audit: false,
})
