import { Cron } from 'croner'
import { type Static, Type } from 'typebox'
import { Value } from 'typebox/value'
import { eventPattern } from '../../kernel/event-pattern.ts'
import { requireAddress } from '../../kernel/outgoing.ts'
import { schemaProblems } from '../../kernel/schema-problems.ts'
import { messageOf } from '../../kernel/error.ts'
import { AutomationInvalidError } from './automation.errors.ts'

const Text = Type.String({ minLength: 1, maxLength: 500 })
const strict = { additionalProperties: false }

/** What is done: a signed call to somewhere else, or an action that the application has registered. */
export const AutomationDefinition = Type.Union([
  Type.Object({ kind: Type.Literal('webhook'), url: Type.String({ minLength: 1, maxLength: 2_000 }) }, strict),
  Type.Object(
    { kind: Type.Literal('action'), action: Text, parameters: Type.Optional(Type.Record(Type.String(), Type.Unknown())) },
    strict,
  ),
])
export type AutomationDefinition = Static<typeof AutomationDefinition>

export const automationTriggerKinds = ['WEBHOOK', 'SCHEDULE', 'EVENT', 'MANUAL', 'API'] as const
export type AutomationTriggerKind = (typeof automationTriggerKinds)[number]

const Schedule = Type.Object({ cron: Text, timeZone: Type.Optional(Text) }, strict)
const OnEvent = Type.Object(
  {
    /** `task.created`, `task.*`, or `*`. */
    event: Type.String({ pattern: eventPattern }),
    /** Columns of the row after the event, and the value that each must have. */
    where: Type.Optional(Type.Record(Type.String(), Type.Union([Type.String(), Type.Number(), Type.Boolean(), Type.Null()]))),
  },
  strict,
)
const Nothing = Type.Object({}, strict)

const configs = { WEBHOOK: Nothing, SCHEDULE: Schedule, EVENT: OnEvent, MANUAL: Nothing, API: Nothing } as const
export type ScheduleConfig = Static<typeof Schedule>
export type EventConfig = Static<typeof OnEvent>
export type TriggerConfig = ScheduleConfig | EventConfig | Readonly<Record<string, never>>

export function assertAutomation(definition: unknown): asserts definition is AutomationDefinition {
  if (!Value.Check(AutomationDefinition, definition)) throw new AutomationInvalidError(schemaProblems(AutomationDefinition, definition))
  if (definition.kind === 'webhook') requireAddress(definition.url)
}

export function assertTrigger(type: AutomationTriggerKind, config: unknown): asserts config is TriggerConfig {
  const schema: Type.TSchema = configs[type]
  if (!Value.Check(schema, config)) throw new AutomationInvalidError(schemaProblems(schema, config))
  if (type === 'SCHEDULE' && !nextFireAt(config as ScheduleConfig, new Date()))
    throw new AutomationInvalidError(['the schedule never comes due'])
}

/** When a schedule comes due after a moment, by the clock of its time zone; undefined where it never does. */
export function nextFireAt({ cron, timeZone = 'UTC' }: ScheduleConfig, after: Date): Date | undefined {
  try {
    return new Cron(cron, { timezone: timeZone, paused: true }).nextRun(after) ?? undefined
  } catch (error) {
    throw new AutomationInvalidError([messageOf(error)])
  }
}
