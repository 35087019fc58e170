import type { ScopedEntityManager } from '../../orm/index.ts'
import { ownOrganization } from '../organizations/internal.ts'
import { frenchPipelines, frenchTemplates } from './builtin-work.fr.ts'
import { createPipeline, type PipelineInput } from './create-pipeline.ts'
import { Pipeline } from './pipeline.entity.ts'
import { TaskTemplate } from './task-template.entity.ts'
import { createTemplate, type TemplateInput } from './templates.ts'

/** One of each type but CUSTOM, which is for those that people make. */
export const builtinPipelines: readonly PipelineInput[] = [
  {
    key: 'sales',
    name: 'Sales',
    type: 'SALES',
    routing: { sources: ['FORM'], words: ['price', 'offer', 'quote', 'buy', 'demo'] },
    stages: [
      { key: 'new', name: 'New' },
      { key: 'qualified', name: 'Qualified' },
      { key: 'proposal', name: 'Proposal' },
      { key: 'negotiation', name: 'Negotiation' },
      { key: 'won', name: 'Won', outcome: 'WON' },
      { key: 'lost', name: 'Lost', outcome: 'LOST' },
    ],
  },
  {
    key: 'support',
    name: 'Support',
    type: 'SUPPORT',
    routing: { sources: ['CHAT'], words: ['help', 'error', 'broken', 'bug', 'problem'] },
    stages: [
      { key: 'new', name: 'New' },
      { key: 'in-progress', name: 'In progress' },
      { key: 'waiting', name: 'Waiting for the customer' },
      { key: 'resolved', name: 'Resolved', outcome: 'DONE' },
      { key: 'dismissed', name: 'Dismissed', outcome: 'LOST' },
    ],
  },
  {
    key: 'billing',
    name: 'Billing',
    type: 'BILLING',
    routing: { words: ['invoice', 'bill', 'refund', 'payment', 'charge'] },
    stages: [
      { key: 'new', name: 'New' },
      { key: 'review', name: 'Review' },
      { key: 'approval', name: 'Approval' },
      { key: 'settled', name: 'Settled', outcome: 'DONE' },
      { key: 'rejected', name: 'Rejected', outcome: 'LOST' },
    ],
  },
  {
    key: 'internal',
    name: 'Internal operations',
    type: 'INTERNAL',
    stages: [
      { key: 'backlog', name: 'Backlog' },
      { key: 'doing', name: 'Doing' },
      { key: 'done', name: 'Done', outcome: 'DONE' },
    ],
  },
  {
    key: 'general',
    name: 'General',
    type: 'GENERIC',
    stages: [
      { key: 'new', name: 'New' },
      { key: 'in-progress', name: 'In progress' },
      { key: 'done', name: 'Done', outcome: 'DONE' },
    ],
  },
]

const text = { type: 'string', minLength: 1, maxLength: 2_000 } as const
const email = { type: 'string', format: 'email' } as const
const asks = <P extends TemplateInput['definition']['schema']['properties']>(properties: P, required: (keyof P & string)[]) => ({
  type: 'object' as const,
  properties,
  required,
})

export const builtinTemplates: readonly TemplateInput[] = [
  {
    key: 'qualify-lead',
    name: 'Qualify a lead',
    pipelineType: 'SALES',
    slaMinutes: 24 * 60,
    definition: {
      title: 'Qualify {{company}}',
      schema: asks({ company: text, contact: text, email, budget: { type: 'number', minimum: 0 } }, ['company']),
      checklist: ['Is there a need?', 'Who decides?', 'By when?', 'With which budget?'],
    },
  },
  {
    key: 'call-back',
    name: 'Call back',
    kind: 'CALL',
    pipelineType: 'SALES',
    defaultPriority: 'HIGH',
    slaMinutes: 2 * 60,
    definition: { title: 'Call {{name}} back', schema: asks({ name: text, phone: text, about: text }, ['name', 'phone']) },
  },
  {
    key: 'answer-ticket',
    name: 'Answer a ticket',
    kind: 'EMAIL',
    pipelineType: 'SUPPORT',
    slaMinutes: 8 * 60,
    definition: {
      title: 'Answer: {{subject}}',
      schema: asks({ subject: text, body: text, email, severity: { type: 'string', enum: ['LOW', 'HIGH', 'CRITICAL'] } }, [
        'subject',
        'email',
      ]),
    },
  },
  {
    key: 'refund',
    name: 'Refund a payment',
    pipelineType: 'BILLING',
    defaultPriority: 'HIGH',
    slaMinutes: 3 * 24 * 60,
    definition: {
      title: 'Refund invoice {{invoice}}',
      schema: asks({ invoice: text, amountMinor: { type: 'integer', minimum: 1 }, reason: text }, ['invoice', 'amountMinor', 'reason']),
      checklist: ['The payment arrived', 'Nobody refunded it before', 'Somebody approved it'],
    },
  },
  {
    key: 'welcome-colleague',
    name: 'Welcome a colleague',
    pipelineType: 'INTERNAL',
    definition: {
      title: 'Welcome {{name}}',
      schema: asks({ name: text, startsOn: { type: 'string', format: 'date' } }, ['name', 'startsOn']),
      checklist: ['Invite them', 'Give them their roles', 'Introduce them'],
    },
  },
  {
    key: 'general-request',
    name: 'General request',
    pipelineType: 'GENERIC',
    definition: { title: '{{subject}}', schema: asks({ subject: text, details: text }, ['subject']) },
  },
]

/** What an organization begins to work with, in its language. What is there already is left as its people have made it. */
export async function ensureBuiltinWork(em: ScopedEntityManager): Promise<void> {
  const [pipelines, templates] = [new Set<string>(), new Set<string>()]
  for (const { key } of await em.find(Pipeline, {}, { fields: ['key'] })) pipelines.add(key)
  for (const { key } of await em.find(TaskTemplate, {}, { fields: ['key'] })) templates.add(key)
  const isFrench = (await ownOrganization(em))?.speaks('fr') ?? false
  for (const pipeline of builtinPipelines)
    if (!pipelines.has(pipeline.key)) createPipeline(em, isFrench ? pipelineInFrench(pipeline) : pipeline)
  for (const template of builtinTemplates)
    if (!templates.has(template.key)) createTemplate(em, isFrench ? templateInFrench(template) : template)
}

function pipelineInFrench(pipeline: PipelineInput): PipelineInput {
  const { name, words, stages } = frenchPipelines[pipeline.key]!
  return {
    ...pipeline,
    name,
    ...(words && { routing: { ...pipeline.routing, words: [...words] } }),
    stages: pipeline.stages.map(stage => ({ ...stage, name: stages[stage.key] ?? stage.name })),
  }
}

function templateInFrench(template: TemplateInput): TemplateInput {
  const { name, ...says } = frenchTemplates[template.key]!
  return { ...template, name, definition: { ...template.definition, ...says } }
}
