import { Type } from 'typebox'
import {
  addTrigger,
  Automation,
  AutomationDefinition,
  automationTriggerKinds,
  createAutomation,
  rotateWebhookSecret,
  startAutomation,
  type TriggerConfig,
  WorkflowExecution,
  WorkflowTrigger,
} from '../../../domain/automation/index.ts'
import { now } from '../../../kernel/clock.ts'
import { exactly, idField, nameField, oneOf } from '../../fields.ts'
import { found } from '../found.ts'
import { requireReaderOfLog } from '../listening.ts'
import { action, creation, resource } from '../resource.ts'

const automationBody = exactly({
  name: nameField(),
  definition: AutomationDefinition,
  externalSystem: Type.Optional(nameField()),
  externalWorkflowId: Type.Optional(nameField()),
  maxAttempts: Type.Optional(Type.Integer({ minimum: 1, maximum: 20 })),
  timeoutMs: Type.Optional(Type.Integer({ minimum: 100, maximum: 600_000 })),
})

const triggerBody = exactly({
  automation: idField(),
  type: oneOf([...automationTriggerKinds]),
  config: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
})

export const automation = [
  resource(Automation, {
    write: ['name', 'maxAttempts', 'timeoutMs'],
    inputs: {
      name: nameField(),
      maxAttempts: Type.Integer({ minimum: 1, maximum: 20 }),
      timeoutMs: Type.Integer({ minimum: 100, maximum: 600_000 }),
    },
    listens: async ({ em }, each) =>
      each.isActive && (await em.count(WorkflowTrigger, { automation: each.id, type: 'EVENT', isActive: true })) > 0,
    create: creation(
      automationBody,
      async ({ em }, body) => {
        const { automation: row, webhookSecret } = await createAutomation(em, body)
        return { row, secrets: { webhookSecret } }
      },
      ['webhookSecret'],
    ),
    actions: {
      activate: action('update', (_work, each: Automation) => each.activate()),
      deactivate: action('update', (_work, each: Automation) => each.deactivate()),
      'rotate-secret': {
        permission: 'manage',
        answer: exactly({ webhookSecret: Type.String() }),
        isSecret: true,
        run: async ({ em }, each: Automation) => ({ webhookSecret: await rotateWebhookSecret(em, each) }),
      },
      run: {
        permission: 'update',
        body: exactly({ input: Type.Optional(Type.Record(Type.String(), Type.Unknown())) }),
        answer: exactly({ execution: idField() }),
        run: async ({ em }, each: Automation, { input = {} }: { input?: Record<string, unknown> }) => ({
          execution: (await startAutomation(em, each, { input })).id,
        }),
      },
    },
  }),
  resource(WorkflowTrigger, {
    write: ['isActive'],
    listens: (_work, { type, isActive }) => type === 'EVENT' && isActive,
    create: creation(triggerBody, async (work, { automation: id, type, config }) => {
      if (type === 'EVENT') await requireReaderOfLog(work)
      const waiting = await found(work.em, Automation, id)
      return addTrigger(work.em, waiting, { type, ...(config && { config: config as unknown as TriggerConfig }) })
    }),
  }),
  resource(WorkflowExecution, {
    // What an event has started was given that event.
    reserved: { input: ['manage', 'audit-event:read'], output: 'manage' },
    actions: {
      cancel: action('update', (_work, execution: WorkflowExecution) => execution.cancel(now())),
      retry: action('update', (_work, execution: WorkflowExecution) => execution.retry(now())),
    },
  }),
]
