import { type Row, type ScopedEntityManager, unsentOf } from '../orm/index.ts'
import { auditedTableOf } from './audited-table.ts'
import { bufferOf } from './story.ts'

export interface Told {
  /** `auth.signed-in`: what happened, in the past tense. */
  readonly type: string
  /** Whose log it belongs to: a tenant's or a person's id. */
  readonly log: string
  readonly about?: Row
  readonly details?: Readonly<Record<string, unknown>>
}

/** Records something that happened and changed no row, or means more than the rows that it changed. It commits with the transaction. */
export async function tell(em: ScopedEntityManager, { type, log, about, details }: Told): Promise<void> {
  await em.flush()
  const meta = about && em.getMetadata().find(about.constructor as never)
  const entity = meta && auditedTableOf(meta)?.entity
  bufferOf(await unsentOf(em.getTransactionContext<object>()!)).add({
    log,
    kind: 'activity',
    type,
    ...(about && entity && { entity, entityId: about.id }),
    ...(details && { after: JSON.stringify(details) }),
  })
}
