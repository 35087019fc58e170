import { Type } from 'typebox'
import {
  acceptInsight,
  activateSequence,
  addProspect,
  addStep,
  AIInsight,
  Campaign,
  CampaignEnrollment,
  campaignStats,
  createProfile,
  dismissInsight,
  EmailSequence,
  enroll,
  IdealCustomerProfile,
  Message,
  messageChannels,
  Prospect,
  restoreProspect,
  runCampaign,
  scoreProspect,
  searchProspects,
  SequenceStep,
} from '../../../domain/sales/index.ts'
import { now } from '../../../kernel/clock.ts'
import { emailField, exactly, idField, nameField, nullable, oneOf } from '../../fields.ts'
import { found } from '../found.ts'
import { action, creation, resource } from '../resource.ts'

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

const profileBody = exactly({
  name: nameField(),
  industry: Type.Optional(term()),
  sizeMin: Type.Optional(size()),
  sizeMax: Type.Optional(size()),
  regions: Type.Optional(Type.Array(term(), { maxItems: 200 })),
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

const reason = exactly({ reason: Type.String({ minLength: 1, maxLength: 4_000 }) })

export const sales = [
  resource(IdealCustomerProfile, { create: creation(profileBody, ({ em }, body) => createProfile(em, body)), remove: true }),
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
    actions: {
      activate: action('update', ({ em }, sequence: EmailSequence) => activateSequence(em, sequence)),
      pause: action('update', (_work, sequence: EmailSequence) => sequence.pause()),
      archive: action('update', (_work, sequence: EmailSequence) => sequence.archive()),
    },
  }),
  resource(SequenceStep, {
    create: creation(stepBody, async ({ em }, { sequence, ...body }) => addStep(em, await found(em, EmailSequence, sequence), body)),
  }),
  resource(Campaign, {
    write: ['name', 'sequence', 'icp', 'startsAt', 'endsAt'],
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
  resource(Message),
  resource(AIInsight, {
    actions: {
      accept: action('update', reason, ({ em }, insight: AIInsight, judgement) => acceptInsight(em, insight, judgement)),
      dismiss: action('update', reason, ({ em }, insight: AIInsight, judgement) => dismissInsight(em, insight, judgement)),
    },
  }),
]
