import type { Statement } from '../orm/index.ts'

/** What the append is told of one event. */
export interface EventDraft {
  readonly log: string
  readonly kind: 'activity' | 'decision'
  readonly type: string
  readonly entity?: string
  readonly entityId?: string
  readonly entityVersion?: number
  readonly id?: string
  readonly decision?: string
  readonly causation?: string
  readonly changed?: readonly string[]
  /** JSON text, which the log keeps to the letter. */
  readonly before?: string
  readonly after?: string
}

/** One statement for any number of events. `json`, not `jsonb`: what an entity was is kept to the letter. */
const text = `insert into audit_event (tenant_id, kind, type, entity, entity_id, entity_version, id, decision_id, causation_id, changed, before, after, source)
  select t, coalesce(k, 'activity'), y, e, i, v, coalesce(d, daybook_uuidv7()), c,
    coalesce(w, nullif(current_setting('daybook.causation_id', true), '')), p, b, a, 'unit-of-work'
  from json_to_recordset($1::json) as r(t uuid, k text, y text, e text, i uuid, v int, d uuid, c uuid, w text, p text[], b json, a json)`

export function appendStatement(drafts: readonly EventDraft[]): Statement {
  return { text, values: [`[${drafts.map(written).join(',')}]`] }
}

function written(draft: EventDraft): string {
  let json = `{"t":"${draft.log}","y":${JSON.stringify(draft.type)}`
  if (draft.kind === 'decision') json += ',"k":"decision"'
  if (draft.entity) json += `,"e":${JSON.stringify(draft.entity)},"i":"${draft.entityId}"`
  if (draft.entityVersion !== undefined) json += `,"v":${draft.entityVersion}`
  if (draft.id) json += `,"d":"${draft.id}"`
  if (draft.decision) json += `,"c":"${draft.decision}"`
  if (draft.causation) json += `,"w":${JSON.stringify(draft.causation)}`
  if (draft.changed) json += `,"p":${JSON.stringify(draft.changed)}`
  if (draft.before) json += `,"b":${draft.before}`
  if (draft.after) json += `,"a":${draft.after}`
  return `${json}}`
}
