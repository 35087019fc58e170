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
  /** The columns, where they aren't just the keys of `after`. */
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
  const [first] = drafts
  return { text: drafts.every(draft => isLike(draft, first!)) ? appendAlike(first!, drafts) : appendMixed(drafts), values: [] }
}

/** Whether two events differ only in which row they tell of, and what. */
function isLike(draft: EventDraft, other: EventDraft): boolean {
  return (
    draft.type === other.type &&
    draft.log === other.log &&
    draft.kind === other.kind &&
    draft.entity === other.entity &&
    draft.schemaVersion === other.schemaVersion &&
    draft.decision === other.decision &&
    draft.causation === other.causation &&
    !draft.before === !other.before &&
    !draft.after === !other.after &&
    !draft.changed &&
    !draft.id &&
    isReadable(draft.before) &&
    isReadable(draft.after)
  )
}

/** PostgreSQL takes JSON as it is, and finds out when it reads it that a text holds what it can't: what has to be read is refused before. */
function isReadable(json: string | undefined): boolean {
  return json === undefined || !/\\u(?:0000|d[89a-f])/i.test(json)
}

/** What they share is said once, and the rest is read without a look for what it might be: a quarter less of the server's time. */
function appendAlike(first: EventDraft, drafts: readonly EventDraft[]): string {
  const { log, kind, type, entity, schemaVersion = 1, decision, causation } = first
  const ids = drafts.map(({ entityId }) => entityId ?? 'null')
  const versions = drafts.map(({ entityVersion }) => entityVersion ?? 'null')
  const arrayOf = (side: 'before' | 'after') => first[side] && `[${drafts.map(draft => draft[side]).join(',')}]`
  const shared = [log, kind, type, entity, String(schemaVersion), decision, causation]
  const given = [...shared, `{${ids.join(',')}}`, `{${versions.join(',')}}`, arrayOf('before'), arrayOf('after')]
  return `select daybook_append_alike(${given.map(value => (value ? literal(value) : 'null')).join(', ')})`
}

function appendMixed(drafts: readonly EventDraft[]): string {
  return `select daybook_append(${literal(`[${drafts.map(written).join(',')}]`)})`
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
