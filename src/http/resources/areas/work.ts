import { type Static, Type } from 'typebox'
import { type AgentDecision, approveDecision, rejectDecision } from '../../../domain/agents/index.ts'
import { decisionBehind } from '../../../domain/agents/internal.ts'
import { PermissionDeniedError } from '../../../domain/access/index.ts'
import {
  ApprovalItem,
  approve,
  assignTask,
  completeTask,
  createPipeline,
  createTaskFromTemplate,
  createTemplate,
  IntakeRequest,
  migratePipelineItems,
  moveTask,
  Pipeline,
  PipelineItem,
  PipelineStage,
  pipelineTypes,
  previewTemplate,
  receiveRequest,
  rejectApproval,
  requestApproval,
  reviseTemplate,
  routeIntake,
  Task,
  taskKinds,
  taskPriorities,
  taskSources,
  TaskTemplate,
  TemplateDefinition,
  timesInStages,
} from '../../../domain/work/index.ts'
import { linkTask, Prospect } from '../../../domain/sales/index.ts'
import { exactly, idField, nameField, nullable, oneOf } from '../../fields.ts'
import type { Work } from '../../in-tenant.ts'
import { momentField } from '../fields.ts'
import { found } from '../found.ts'
import { action, creation, resource, sent } from '../resource.ts'
import { subjectOf } from '../subject.ts'

const key = () => Type.String({ pattern: '^[a-z0-9]+(-[a-z0-9]+)*$', maxLength: 60 })
const rationale = exactly({ rationale: Type.String({ minLength: 1, maxLength: 4_000 }) })

const pipelineBody = exactly({
  key: key(),
  name: nameField(),
  type: oneOf([...pipelineTypes]),
  stages: Type.Array(exactly({ key: key(), name: nameField(), outcome: Type.Optional(oneOf(['WON', 'LOST', 'DONE'])) }), {
    minItems: 1,
    maxItems: 50,
  }),
})

const templateFields = {
  name: nameField(),
  kind: Type.Optional(oneOf([...taskKinds])),
  pipelineType: oneOf([...pipelineTypes]),
  definition: TemplateDefinition,
  defaultPriority: Type.Optional(oneOf([...taskPriorities])),
  slaMinutes: Type.Optional(Type.Integer({ minimum: 1, maximum: 5_000_000 })),
}
const templateBody = exactly({ key: key(), ...templateFields })
const templateChanges = Type.Partial(exactly(templateFields), { additionalProperties: false, minProperties: 1 })

const requestBody = exactly({
  source: oneOf([...taskSources]),
  subject: Type.String({ minLength: 1, pattern: '\\S', maxLength: 20_000 }),
  receivedAt: momentField(),
  body: Type.Optional(nullable(Type.String({ maxLength: 20_000 }))),
  requesterEmail: Type.Optional(nullable(Type.String({ maxLength: 20_000 }))),
})

const approvalBody = exactly({
  type: Type.String({ pattern: '^[a-z][a-z0-9-]*\\.[a-z][a-z0-9-]*$', maxLength: 200 }),
  subjectType: Type.String({ pattern: '^[a-z][a-z0-9-]*$', maxLength: 100 }),
  subjectId: idField(),
  reason: Type.String({ minLength: 1, maxLength: 4_000 }),
  payload: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
  confidence: Type.Optional(Type.Number({ minimum: 0, maximum: 1 })),
  model: Type.Optional(nameField()),
  expiresAt: Type.Optional(momentField()),
})

const fromTemplate = exactly({
  data: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
  source: Type.Optional(oneOf([...taskSources])),
  pipeline: Type.Optional(idField()),
})

const stageVisits = exactly({
  visits: Type.Array(exactly({ stage: Type.String(), enteredAt: Type.String(), leftAt: nullable(Type.String()), ms: Type.Integer() })),
})

/** What an agent waits for is settled with its decision, by those who may judge that: approving it carries it out. */
async function judgedDecision({ em, may }: Work, item: ApprovalItem): Promise<AgentDecision | null> {
  const decision = await decisionBehind(em, item)
  if (decision && !(await may('agent-decision:approve')))
    throw new PermissionDeniedError('agent-decision:approve', 'a decision of an agent waits for it')
  return decision
}

export const work = [
  resource(Pipeline, {
    write: ['name', 'isActive'],
    create: creation(pipelineBody, ({ em }, body) => createPipeline(em, body)),
    remove: false,
  }),
  resource(PipelineStage, { write: ['name'], inputs: { name: nameField() }, remove: false }),
  resource(PipelineItem, {
    together: {
      migrate: sent(
        'manage',
        exactly({ limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 5_000 })) }),
        exactly({ migrated: Type.Integer() }),
        async ({ em }, { limit }) => ({ migrated: await migratePipelineItems(em, limit) }),
      ),
    },
  }),
  resource(TaskTemplate, {
    create: creation(templateBody, ({ em }, body) => createTemplate(em, body)),
    actions: {
      retire: action('update', (_work, template: TaskTemplate) => template.retire()),
      revise: {
        permission: 'update',
        body: templateChanges,
        answer: exactly({ template: idField(), revision: Type.Integer() }),
        run: async ({ em }, template: TaskTemplate, changes: Static<typeof templateChanges>) => {
          const { id, revision } = await reviseTemplate(em, template, changes)
          return { template: id, revision }
        },
      },
      preview: {
        permission: 'read',
        body: exactly({ data: Type.Optional(Type.Record(Type.String(), Type.Unknown())) }),
        answer: exactly({ title: Type.String(), description: nullable(Type.String()), checklist: Type.Array(Type.String()) }),
        run: (_work, template: TaskTemplate, { data = {} }: { data?: Record<string, unknown> }) => previewTemplate(template, data),
      },
      'create-task': {
        permission: 'read',
        body: fromTemplate,
        answer: exactly({ task: idField() }),
        run: async ({ em, may }, template: TaskTemplate, { data, source, pipeline }: Static<typeof fromTemplate>) => {
          if (!(await may('task:create'))) throw new PermissionDeniedError('task:create', 'a task is made by it')
          const into = pipeline === undefined ? {} : { pipeline: await found(em, Pipeline, pipeline) }
          const task = await createTaskFromTemplate(em, template, { ...(data && { data }), ...(source && { source }), ...into })
          return { task: task.id }
        },
      },
    },
  }),
  resource(Task, {
    write: ['title', 'description', 'kind', 'source', 'priority', 'dueAt', 'data'],
    actions: {
      start: action('update', (_work, task: Task) => task.start()),
      'put-back': action('update', (_work, task: Task) => task.putBack()),
      block: action('update', (_work, task: Task) => task.block()),
      'request-review': action('update', (_work, task: Task) => task.requestReview()),
      complete: action('update', ({ em }, task: Task) => completeTask(em, task)),
      cancel: action('update', (_work, task: Task) => task.cancel()),
      reopen: action('update', (_work, task: Task) => task.reopen()),
      assign: action('update', exactly({ assignee: nullable(idField()) }), ({ em }, task: Task, { assignee }) =>
        assignTask(em, task, assignee),
      ),
      move: action('update', exactly({ stage: idField() }), async ({ em }, task: Task, { stage }) =>
        moveTask(em, task, await found(em, PipelineStage, stage)),
      ),
      'link-prospect': action('update', exactly({ prospect: nullable(idField()) }), async ({ em }, task: Task, { prospect }) =>
        linkTask(em, task, prospect === null ? null : await found(em, Prospect, prospect)),
      ),
      'times-in-stages': {
        permission: 'read',
        answer: stageVisits,
        run: async ({ em }, task: Task) => ({
          visits: (await timesInStages(em, task)).map(({ leftAt = null, ...visit }) => ({ ...visit, leftAt })),
        }),
      },
    },
  }),
  resource(IntakeRequest, {
    create: creation(requestBody, ({ em }, { receivedAt, ...body }) => receiveRequest(em, { ...body, receivedAt: new Date(receivedAt) })),
    remove: true,
    actions: {
      route: action('update', ({ em }, request: IntakeRequest) => routeIntake(em, request)),
      'start-processing': action('update', (_work, request: IntakeRequest) => request.startProcessing()),
      complete: action('update', (_work, request: IntakeRequest) => request.complete()),
      reject: action('update', (_work, request: IntakeRequest) => request.reject()),
    },
  }),
  resource(ApprovalItem, {
    create: creation(approvalBody, async (asking, { subjectType, subjectId, expiresAt, ...body }) => {
      const subject = await subjectOf(asking, subjectType, subjectId)
      return requestApproval(asking.em, {
        ...body,
        subjectType,
        subject,
        ...(expiresAt !== undefined && { expiresAt: new Date(expiresAt) }),
      })
    }),
    actions: {
      approve: action('approve', rationale, async (asking, item: ApprovalItem, verdict) => {
        const decision = await judgedDecision(asking, item)
        if (decision) await approveDecision(asking.em, decision, verdict, asking.tools)
        else await approve(asking.em, item, verdict)
      }),
      reject: action('approve', rationale, async (asking, item: ApprovalItem, verdict) => {
        const decision = await judgedDecision(asking, item)
        if (decision) await rejectDecision(asking.em, decision, verdict)
        else await rejectApproval(asking.em, item, verdict)
      }),
    },
  }),
]
