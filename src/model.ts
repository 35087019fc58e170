import { migrations } from '../migrations/index.ts'
import { ActivityLogSchema, addSentinels, AuditCapture, AuditEventSchema, DecisionLogSchema, refuseTruncating } from './audit/index.ts'
import {
  ApiKeySchema,
  InvitationSchema,
  MembershipSchema,
  PermissionSchema,
  RolePermissionSchema,
  RoleSchema,
  syncPermissionCatalogue,
  UserPermissionSchema,
  UserRoleSchema,
} from './domain/access/index.ts'
import {
  AccountSchema,
  PasswordCredentialSchema,
  PasswordResetTokenSchema,
  SessionSchema,
  UserProfileSchema,
  UserSchema,
  VerificationTokenSchema,
} from './domain/identity/index.ts'
import { OrganizationSchema } from './domain/organizations/index.ts'
import { AuditIssueSchema, AuditResultSchema, ErrorSignatureSchema, FixAttestationSchema, ProjectSchema } from './domain/quality/index.ts'
import {
  AIInsightSchema,
  CampaignEnrollmentSchema,
  CampaignSchema,
  EmailSequenceSchema,
  IdealCustomerProfileSchema,
  MessageSchema,
  ProspectSchema,
  SequenceStepSchema,
} from './domain/sales/index.ts'
import { JobRunSchema } from './domain/system/index.ts'
import {
  BillingEventSchema,
  PlanSchema,
  QuotaCounterSchema,
  SubscriptionSchema,
  syncPlanCatalogue,
  UsageEventSchema,
} from './domain/billing/index.ts'
import {
  ApprovalItemSchema,
  IntakeRequestSchema,
  PipelineItemSchema,
  PipelineSchema,
  PipelineStageSchema,
  TaskSchema,
  TaskTemplateSchema,
} from './domain/work/index.ts'
import type { Keyring } from './kernel/keyring.ts'
import { declarationOf, type Entity, type Model } from './orm/index.ts'

/** Every entity of the product, area by area in the order in which they may point at each other. */
const entities: readonly Entity[] = [
  UserSchema,
  UserProfileSchema,
  PasswordCredentialSchema,
  AccountSchema,
  SessionSchema,
  VerificationTokenSchema,
  PasswordResetTokenSchema,
  OrganizationSchema,
  PermissionSchema,
  RoleSchema,
  RolePermissionSchema,
  MembershipSchema,
  InvitationSchema,
  UserRoleSchema,
  UserPermissionSchema,
  ApiKeySchema,
  PlanSchema,
  SubscriptionSchema,
  UsageEventSchema,
  QuotaCounterSchema,
  BillingEventSchema,
  PipelineSchema,
  PipelineStageSchema,
  TaskTemplateSchema,
  TaskSchema,
  IntakeRequestSchema,
  PipelineItemSchema,
  ApprovalItemSchema,
  ProjectSchema,
  ErrorSignatureSchema,
  FixAttestationSchema,
  AuditResultSchema,
  AuditIssueSchema,
  IdealCustomerProfileSchema,
  ProspectSchema,
  EmailSequenceSchema,
  SequenceStepSchema,
  CampaignSchema,
  CampaignEnrollmentSchema,
  MessageSchema,
  AIInsightSchema,
  JobRunSchema,
  AuditEventSchema,
  ActivityLogSchema,
  DecisionLogSchema,
]

export interface ModelAdditions {
  readonly entities?: readonly Entity[]
  readonly migrations?: Model['migrations']
  /** Asked when the log first tells something of a person. */
  readonly keyring?: () => Promise<Keyring>
}

/** The whole model: the product's entities, and those that an application brings along. */
export function modelWith(more: ModelAdditions = {}): Model {
  const all = [...entities, ...(more.entities ?? [])]
  return {
    entities: all,
    migrations: [...migrations, ...(more.migrations ?? [])],
    async afterUp(run) {
      await refuseTruncating(run)
      await syncPermissionCatalogue(resourcesOf(all))(run)
      await syncPlanCatalogue(run)
    },
    complete: addSentinels,
    subscribers: [new AuditCapture(more.keyring)],
  }
}

/** What permissions speak of: the organization and everything that a tenant owns, by name in kebab-case. */
export function resourcesOf(all: readonly Entity[]): string[] {
  return all
    .map(entity => ('meta' in entity ? entity.meta.class : entity))
    .filter(entity => declarationOf(entity)?.belongsTo === 'tenant' || entity.name === 'Organization')
    .map(entity => entity.name.replace(/(?<=[a-z0-9])(?=[A-Z])/g, '-').toLowerCase())
}
