import { Type } from 'typebox'
import { PermissionDeniedError } from '../../../domain/access/index.ts'
import {
  acceptInsight,
  activateSequence,
  addProspect,
  addStep,
  AIInsight,
  Campaign,
  CampaignEnrollment,
  campaignStats,
  changeStep,
  createProfile,
  dismissInsight,
  EmailSequence,
  enroll,
  IdealCustomerProfile,
  Message,
  messageChannels,
  Prospect,
  recordBounce,
  recordDelivered,
  recordFailure,
  recordOpened,
  recordReply,
  recordSent,
  removeStep,
  renderStep,
  restoreProspect,
  reviseProfile,
  runCampaign,
  scoreProspect,
  searchProspects,
  SequenceStep,
} from '../../../domain/sales/index.ts'
import { refuseOtherSequence } from '../../../domain/sales/internal.ts'
import { now } from '../../../kernel/clock.ts'
import { emailField, exactly, idField, nameField, nullable, oneOf } from '../../fields.ts'
import { momentField } from '../fields.ts'
import { found } from '../found.ts'
import { action, creation, resource } from '../resource.ts'
import { subjectOf } from '../subject.ts'

const term = () => Type.String({ minLength: 1, maxLength: 200 })
const size = () => Type.Integer({ minimum: 0, maximum: 100_000_000 })

const prospectBody = exactly({
  email: emailField(),
  firstName: Type.Optional(term()),
  lastName: Type.Optional(term()),
  company: Type.Optional(term()),
  companyDomain: Type.Optional(term()),
  industry: Type.Optional(term()),
  region: Type.Optional(term()),
  companySize: Type.Optional(size()),
  locale: Type.Optional(Type.String({ maxLength: 35 })),
  data: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
})

const wanted = () => Type.Array(Type.Union([term(), Type.Number(), Type.Boolean()]), { maxItems: 200 })
const profileBody = exactly({
  name: nameField(),
  industry: Type.Optional(term()),
  sizeMin: Type.Optional(size()),
  sizeMax: Type.Optional(size()),
  regions: Type.Optional(Type.Array(term(), { maxItems: 200 })),
  criteria: Type.Optional(Type.Record(Type.String(), wanted())),
  weights: Type.Record(Type.String(), Type.Number({ minimum: 0, maximum: 1_000_000 })),
})

const stepBody = exactly({
  sequence: idField(),
  position: Type.Integer({ minimum: 1, maximum: 100 }),
  delayHours: Type.Optional(Type.Integer({ minimum: 0, maximum: 8_784 })),
  channel: Type.Optional(oneOf([...messageChannels])),
  subject: Type.Optional(nullable(Type.String({ maxLength: 998 }))),
  bodyTemplate: Type.String({ minLength: 1, maxLength: 20_000 }),
})

const stepChanges = Type.Partial(Type.Omit(stepBody, ['sequence']), { additionalProperties: false, minProperties: 1 })
const profileChanges = Type.Partial(profileBody, { additionalProperties: false, minProperties: 1 })

const insightBody = exactly({
  subjectType: Type.String({ pattern: '^[a-z][a-z0-9-]*$', maxLength: 100 }),
  subjectId: idField(),
  kind: nameField(),
  title: nameField(),
  body: Type.String({ minLength: 1, maxLength: 20_000 }),
  confidence: Type.Number({ minimum: 0, maximum: 1 }),
  model: nameField(),
})

/** What a provider tells of a message, and when that was. */
const told = exactly({ at: Type.Optional(momentField()) })
const toldAt = ({ at }: { readonly at?: string }) => (at === undefined ? now() : new Date(at))

const reason = exactly({ reason: Type.String({ minLength: 1, maxLength: 4_000 }) })

export const sales = [
  resource(IdealCustomerProfile, {
    create: creation(profileBody, ({ em }, body) => createProfile(em, body)),
    remove: true,
    actions: {
      revise: action('update', profileChanges, (_work, profile: IdealCustomerProfile, changes) => reviseProfile(profile, changes)),
    },
  }),
  resource(Prospect, {
    write: ['firstName', 'lastName', 'company', 'companyDomain', 'industry', 'region', 'companySize', 'data', 'icp', 'owner', 'locale'],
    create: creation(prospectBody, ({ em }, body) => addProspect(em, body)),
    search: ({ em }, words, limit) => searchProspects(em, words, limit),
    restore: ({ em }, prospect) => restoreProspect(em, prospect),
    actions: {
      qualify: action('update', (_work, prospect: Prospect) => prospect.qualify()),
      contact: action('update', (_work, prospect: Prospect) => prospect.contact()),
      engage: action('update', (_work, prospect: Prospect) => prospect.engage()),
      win: action('update', (_work, prospect: Prospect) => prospect.win()),
      lose: action('update', (_work, prospect: Prospect) => prospect.lose()),
      score: action('update', ({ em }, prospect: Prospect) => scoreProspect(em, prospect)),
    },
  }),
  resource(EmailSequence, {
    write: ['name', 'locale'],
    inputs: { name: nameField(), locale: Type.String({ maxLength: 35 }) },
    actions: {
      activate: action('update', ({ em }, sequence: EmailSequence) => activateSequence(em, sequence)),
      pause: action('update', (_work, sequence: EmailSequence) => sequence.pause()),
      archive: action('update', (_work, sequence: EmailSequence) => sequence.archive()),
    },
  }),
  resource(SequenceStep, {
    create: creation(stepBody, async ({ em }, { sequence, ...body }) => addStep(em, await found(em, EmailSequence, sequence), body)),
    actions: {
      change: action('update', stepChanges, ({ em }, step: SequenceStep, changes) => changeStep(em, step, changes)),
      remove: {
        permission: 'delete',
        answer: exactly({ removed: idField() }),
        run: async ({ em }, step: SequenceStep) => {
          await removeStep(em, step)
          return { removed: step.id }
        },
      },
      preview: {
        permission: 'read',
        body: exactly({ prospect: idField() }),
        answer: exactly({ subject: nullable(Type.String()), body: Type.String() }),
        run: async ({ em, may }, step: SequenceStep, { prospect }: { prospect: string }) => {
          if (!(await may('prospect:read'))) throw new PermissionDeniedError('prospect:read', 'what is known of them is filled in')
          return renderStep(step, await found(em, Prospect, prospect))
        },
      },
    },
  }),
  resource(Campaign, {
    write: ['name', 'sequence', 'icp', 'startsAt', 'endsAt'],
    inputs: { name: nameField() },
    changing: (campaign, changes) => refuseOtherSequence(campaign, changes),
    actions: {
      schedule: action('update', (_work, campaign: Campaign) => campaign.schedule()),
      run: action('update', ({ em }, campaign: Campaign) => runCampaign(em, campaign)),
      pause: action('update', (_work, campaign: Campaign) => campaign.pause()),
      finish: action('update', (_work, campaign: Campaign) => campaign.finish()),
      'refresh-stats': action('update', ({ em }, campaign: Campaign) => campaignStats(em, campaign)),
      enroll: action(
        'update',
        exactly({ prospects: Type.Array(idField(), { minItems: 1, maxItems: 500 }) }),
        async ({ em }, campaign: Campaign, { prospects }) =>
          enroll(em, campaign, await em.find(Prospect, { id: { $in: prospects.map(id => id.toLowerCase()) } }), now()),
      ),
    },
  }),
  resource(CampaignEnrollment),
  resource(Message, {
    actions: {
      'record-sent': action('update', told, ({ em }, message: Message, body) => recordSent(em, message, toldAt(body))),
      'record-delivered': action('update', told, ({ em }, message: Message, body) => recordDelivered(em, message, toldAt(body))),
      'record-opened': action('update', told, ({ em }, message: Message, body) => recordOpened(em, message, toldAt(body))),
      'record-bounce': action('update', told, ({ em }, message: Message, body) => recordBounce(em, message, toldAt(body))),
      'record-failure': action('update', told, ({ em }, message: Message, body) => recordFailure(em, message, toldAt(body))),
      'record-reply': action(
        'update',
        exactly({ ...told.properties, body: Type.Optional(Type.String({ maxLength: 20_000 })) }),
        ({ em }, message: Message, { body, ...when }) => recordReply(em, message, toldAt(when), body),
      ),
    },
  }),
  resource(AIInsight, {
    create: creation(insightBody, async (work, body) => {
      const { id: subjectId } = await subjectOf(work, body.subjectType, body.subjectId)
      return work.em.create(AIInsight, { ...body, subjectId })
    }),
    actions: {
      accept: action('update', reason, ({ em }, insight: AIInsight, judgement) => acceptInsight(em, insight, judgement)),
      dismiss: action('update', reason, ({ em }, insight: AIInsight, judgement) => dismissInsight(em, insight, judgement)),
    },
  }),
]
