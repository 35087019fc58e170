/**
 * Sales: who may become a customer, and how they are won. A profile says whom one is looking for, and each prospect's score says, criterion by
 * criterion, how well it fits. A campaign sends a sequence of messages to those who are enrolled, each at their own pace, and nobody gets one
 * twice; it stops with whoever answers, whoever can't be reached and whoever is settled. What a model believes waits as an insight until
 * somebody agrees or doesn't, which is a decision in the log.
 */
export { advanceCampaigns } from './advance-campaigns.ts'
export { AIInsight, AIInsightSchema, type InsightStatus, insightStatuses, insightTransitions } from './ai-insight.entity.ts'
export { CampaignEnrollment, CampaignEnrollmentSchema, type StopReason, stopReasons } from './campaign-enrollment.entity.ts'
export {
  Campaign,
  CampaignSchema,
  type CampaignStats,
  type CampaignStatus,
  campaignStatuses,
  campaignTransitions,
} from './campaign.entity.ts'
export { campaignStats, enroll, runCampaign } from './campaigns.ts'
export {
  EmailSequence,
  EmailSequenceSchema,
  type SequenceStatus,
  sequenceStatuses,
  SequenceStep,
  SequenceStepSchema,
  sequenceTransitions,
  type StepContent,
} from './email-sequence.entity.ts'
export {
  builtinCriteria,
  type Criteria,
  IdealCustomerProfile,
  IdealCustomerProfileSchema,
  type Weights,
} from './ideal-customer-profile.entity.ts'
export { acceptInsight, dismissInsight, type Judgement } from './insights.ts'
export { linkTask } from './link-task.ts'
export {
  type MessageChannel,
  messageChannels,
  type MessageDirection,
  messageDirections,
  type MessageStatus,
  messageStatuses,
} from './message-words.ts'
export { Message, MessageSchema, messageTransitions } from './message.entity.ts'
export { createProfile, type ProfileInput, reviseProfile } from './profiles.ts'
export { Prospect, ProspectSchema, type ProspectStatus, prospectStatuses, prospectTransitions } from './prospect.entity.ts'
export { addProspect, type ProspectInput, restoreProspect, searchProspects } from './prospects.ts'
export { recordBounce, recordDelivered, recordFailure, recordOpened, recordReply, recordSent } from './record-message.ts'
export {
  CampaignClosedError,
  CampaignUndatedError,
  PlaceholderUnknownError,
  ProfileInvalidError,
  ProfileMissingError,
  ProspectEmailTakenError,
  ProspectUnknownError,
  SequenceInactiveError,
  SequenceInvalidError,
  SequenceLockedError,
} from './sales.errors.ts'
export { type CriterionScore, type Profile, type ProspectFacts, type Score, scoreOf } from './score-of.ts'
export { scoreProspect, type ScoreOptions } from './score-prospect.ts'
export { activateSequence, addStep, changeStep, removeStep, type StepInput } from './sequences.ts'
export { type Addressee, placeholders, type RenderedStep, renderStep, type StepTemplate, templateProblems } from './step-template.ts'
