import { literal, type Statement } from '../orm/index.ts'

/** What the append is told of one event. */
export interface EventDraft {
  readonly log: string
  readonly kind: 'activity' | 'decision'
  readonly type: string
  readonly entity?: string | undefined
  readonly entityId?: string | undefined
  readonly entityVersion?: number | undefined
  readonly schemaVersion?: number | undefined
  readonly id?: string | undefined
  readonly decision?: string | undefined
  readonly causation?: string | undefined
  readonly changed?: readonly string[] | undefined
  /** JSON text, which the log keeps to the letter. */
  readonly before?: string | undefined
  readonly after?: string | undefined
}

/**
 * One statement for any number of events: a function of the database, whose plan each connection makes once. Planning the insert each time
 * took longer than inserting.
 */
export function appendStatement(drafts: readonly EventDraft[]): Statement {
  return { text: `select daybook_append(${literal(`[${drafts.map(written).join(',')}]`)})`, values: [] }
}

function written(draft: EventDraft): string {
  const pieces = [`{"t":"${draft.log}","y":${JSON.stringify(draft.type)}`]
  if (draft.kind === 'decision') pieces.push(',"k":"decision"')
  if (draft.entity) pieces.push(`,"e":${JSON.stringify(draft.entity)},"i":"${draft.entityId}"`)
  if (draft.entityVersion !== undefined) pieces.push(`,"v":${draft.entityVersion}`)
  if (draft.schemaVersion) pieces.push(`,"s":${draft.schemaVersion}`)
  if (draft.id) pieces.push(`,"d":"${draft.id}"`)
  if (draft.decision) pieces.push(`,"c":"${draft.decision}"`)
  if (draft.causation) pieces.push(`,"w":${JSON.stringify(draft.causation)}`)
  if (draft.changed) pieces.push(`,"p":${JSON.stringify(draft.changed)}`)
  if (draft.before) pieces.push(',"b":', draft.before)
  if (draft.after) pieces.push(',"a":', draft.after)
  return pieces.join('') + '}'
}
