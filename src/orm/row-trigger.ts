import type { TriggerDef } from '@mikro-orm/core'

export interface RowTrigger {
  readonly table: string
  readonly name: string
  /** `before`, `after`, or at the end of the transaction, when everything that belongs together has been written. */
  readonly at: 'before' | 'after' | 'commit'
  /** `update of quantity` fires for updates that name the column. */
  readonly events: readonly string[]
  readonly when?: string
  /** What a PL/pgSQL function does, its declarations included. */
  readonly body: string
}

/** A rule that a constraint can't state, as a trigger with a function of its own. The ORM creates and drops both with the table. */
export function rowTrigger({ table, name, at, events, when, body }: RowTrigger): TriggerDef {
  const routine = `"${table}_${name}_fn"`
  const isLate = at === 'commit'
  const timing = at === 'before' ? 'before' : 'after'
  const condition = when === undefined ? '' : `when (${when}) `
  return {
    name,
    timing,
    events: events.map(event => event.split(' ')[0] as 'insert' | 'update' | 'delete'),
    forEach: 'row',
    expression:
      `${functionOf(routine, body)}\n` +
      `create ${isLate ? 'constraint ' : ''}trigger "${name}" ${timing} ${events.join(' or ')} on "${table}" ` +
      `${isLate ? 'deferrable initially deferred ' : ''}for each row ${condition}execute function ${routine}();`,
  }
}

export interface StatementTrigger {
  readonly table: string
  readonly name: string
  readonly event: 'insert' | 'delete'
  /** What the body calls the rows that the statement wrote, or removed. */
  readonly rows: string
  readonly body: string
}

/** The same for all rows of a statement at once. */
export function statementTrigger({ table, name, event, rows, body }: StatementTrigger): TriggerDef {
  const routine = `"${table}_${name}_fn"`
  const seen = `${event === 'insert' ? 'new' : 'old'} table as ${rows}`
  return {
    name,
    timing: 'after',
    events: [event],
    forEach: 'statement',
    expression:
      `${functionOf(routine, body)}\n` +
      `create trigger "${name}" after ${event} on "${table}" referencing ${seen} for each statement execute function ${routine}();`,
  }
}

/** Refuses an insert or update that a condition on `new` and `old` describes, as a check constraint of that name would. */
export function refused({ table, name, event, when, message }: Refusal): TriggerDef {
  return rowTrigger({ table, name, at: 'before', events: [event], when, body: `begin ${refusal({ table, name, message })} end;` })
}

export interface Refusal {
  readonly table: string
  readonly name: string
  readonly event: 'insert' | 'update'
  readonly when: string
  readonly message: string
}

/** The statement that refuses, in PL/pgSQL. */
export function refusal({ table, name, message }: Pick<Refusal, 'table' | 'name' | 'message'>): string {
  return `raise exception using errcode = '23514', table = '${table}', constraint = '${table}_${name}', message = '${message.replaceAll("'", "''")}';`
}

/** In one line, for the ORM tells statements apart by the ends of lines. */
function functionOf(routine: string, body: string): string {
  const text = body.replaceAll(/\s+/g, ' ').trim()
  return `create or replace function ${routine}() returns trigger as $$ ${text} $$ language plpgsql set search_path = "public", pg_temp;`
}
