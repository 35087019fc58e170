/** What the domain was asked for: each entity with its fields, and the values of its enums. */
export interface AskedFor {
  readonly entity: string
  readonly fields: readonly string[]
  readonly values: readonly (readonly string[])[]
}

/** An entity, its fields | an enum's name, its values */
const text = `
User id email emailVerified name firstName lastName image passwordHash locale timeZone status lastLoginAt failedLoginCount lockedUntil deletedAt | UserStatus ACTIVE INVITED LOCKED DISABLED
UserProfile userId displayName avatarKey phone bio preferences
Account userId type provider providerAccountId refresh_token access_token expires_at token_type scope id_token session_state
Session sessionToken userId expires activeTenantId ip userAgent createdAt lastSeenAt revokedAt
VerificationToken identifier token expires purpose | TokenPurpose EMAIL_VERIFY EMAIL_CHANGE MAGIC_LINK INVITE
PasswordResetToken userId tokenHash expiresAt usedAt requestedIp
Organization id slug name domain domainVerifiedAt plan status dataRegion defaultLocale quotaResetAt settings deletedAt | OrgStatus ACTIVE SUSPENDED CLOSED | DataRegion EU US CA
Membership userId roleId status invitedById joinedAt | MembershipStatus ACTIVE SUSPENDED LEFT
Invitation email roleId tokenHash expiresAt status invitedById | InvitationStatus PENDING ACCEPTED REJECTED CANCELED EXPIRED
Role key name description parentId isSystem
Permission key resource action description | PermissionAction READ CREATE UPDATE DELETE MANAGE APPROVE EXPORT
RolePermission roleId permissionId condition
UserRole userId roleId scopeType scopeId expiresAt
UserPermission userId permissionId effect expiresAt | Effect ALLOW DENY
ApiKey name prefix keyHash scopes createdById expiresAt lastUsedAt revokedAt rotatedFromId rateLimitMax rateLimitWindow | ApiKeyEnv LIVE TEST
Plan key name limits prices
Subscription planId status stripeCustomerId stripeSubscriptionId stripePriceId currentPeriodStart currentPeriodEnd cancelAt canceledAt trialEndsAt | SubscriptionStatus TRIALING ACTIVE PAST_DUE CANCELED
UsageEvent metric quantity userId apiKeyId requestId route durationMs status metadata occurredAt | UsageMetric API_CALLS ANALYSES FIXES AUDITS TOKENS
QuotaCounter metric periodStart resetAt used limit
BillingEvent provider providerEventId type payload receivedAt processedAt error | BillingEventStatus RECEIVED PROCESSED FAILED IGNORED
AuditEvent seq streamType streamId streamVersion kind type actorType actorId requestId payload payloadHash prevHash hash recordedAt | AuditKind ACTIVITY DECISION AUTH SYSTEM | ActorType USER API_KEY AGENT SYSTEM
ActivityLog eventId actorId action entityType entityId summary diff occurredAt
DecisionLog eventId agentId taskId decisionType model inputs output confidence outcome overriddenById
AuditCheckpoint fromSeq toSeq treeSize rootHash signature anchoredAt anchorTarget
OutboxMessage eventId topic payload availableAt attempts lockedBy publishedAt | OutboxStatus PENDING SENT DEAD
Pipeline key name type isActive | PipelineType SALES SUPPORT BILLING INTERNAL GENERIC CUSTOM
PipelineStage pipelineId key name position isTerminal outcome | StageOutcome OPEN WON LOST DONE
PipelineItem pipelineId stageId title data taskId
IntakeRequest source subject body requesterEmail status pipelineId taskId receivedAt | IntakeStatus NEW ROUTING ASSIGNED PROCESSING COMPLETED REJECTED
TaskTemplate key name version pipelineType definition defaultPriority slaMinutes
Task templateId kind source status priority title description pipelineId stageId stageEnteredAt assigneeId prospectId dueAt completedAt data version | TaskKind TASK CALL EMAIL MEETING NOTE | TaskSource FORM EMAIL CHAT API CALL | TaskStatus NEW IN_PROGRESS NEEDS_REVIEW BLOCKED DONE CANCELLED
ApprovalItem subjectType subjectId requestedBy reason payload status decidedById decidedAt expiresAt confidence | ApprovalStatus PENDING APPROVED REJECTED EXPIRED AUTO_APPROVED
AIProviderConfig provider model secretRef baseUrl isDefault monthlyTokenLimit | AIProvider OPENAI ANTHROPIC GOOGLE LOCAL OTHER
OrchestrationAgent name instructions providerConfigId temperature tools isActive rateLimit
AgentDecision agentId type status inputSource input reasoning actions confidence requiresApproval executedAt eventId | AgentDecisionStatus PENDING REQUIRES_APPROVAL EXECUTED REJECTED FAILED
Automation name externalSystem externalWorkflowId isActive definition webhookSecretRef | AutomationTriggerKind WEBHOOK SCHEDULE EVENT MANUAL API
WorkflowTrigger automationId type config isActive lastFiredAt
WorkflowExecution automationId triggerId status input output error startedAt finishedAt durationMs | ExecutionStatus QUEUED RUNNING SUCCESS FAILED TIMEOUT CANCELLED
Document title storageKey mimeType sizeBytes sha256 status ocrText ocrMeta pageCount searchVector error | DocumentStatus PENDING PROCESSING COMPLETED FAILED
DocumentEmbedding documentId chunkIndex content embedding model tokenCount
DocumentChat documentId userId title lastMessageAt
ChatMessage chatId role content citations tokens | ChatRole USER ASSISTANT SYSTEM TOOL
CalendarConnection userId provider externalAccount tokenRef scopes syncedAt status | CalendarProvider GOOGLE OUTLOOK APPLE ZOOM
SchedulingEvent title startsAt endsAt timeZone status organizerId attendees location aiSuggestion connectionId externalId | EventStatus SCHEDULED CONFIRMED CANCELLED COMPLETED CONFLICT
SchedulingAgentTask source type status request proposals eventId
EventReminder eventId remindAt channel status sentAt error | ReminderStatus PENDING SENT FAILED
Project name slug repositoryUrl defaultBranch language status | ProjectStatus ACTIVE ARCHIVED DELETED
ErrorSignature projectId hash detector severity message file line occurrences firstSeenAt lastSeenAt resolvedAt | Severity CRITICAL HIGH MEDIUM LOW INFO
FixAttestation projectId signatureId requestId sequence hash prevHash filesChanged linesAdded linesRemoved status | FixStatus SUCCESS PARTIAL FAILED
AuditResult projectId url environment device scores totals status durationMs | AuditRunStatus SUCCESS PARTIAL FAILED
AuditIssue resultId suite severity message selector recommendation | IssueSuite ACCESSIBILITY PERFORMANCE SECURITY SEO
IdealCustomerProfile name industry sizeMin sizeMax regions criteria weights
Prospect email firstName lastName company companyDomain score scoreBreakdown status icpId ownerId locale deletedAt version searchVector | ProspectStatus NEW QUALIFIED CONTACTED ENGAGED WON LOST
EmailSequence name status locale | SequenceStatus DRAFT ACTIVE PAUSED ARCHIVED
SequenceStep sequenceId position delayHours subject bodyTemplate channel
Campaign name sequenceId icpId status startsAt endsAt stats | CampaignStatus DRAFT SCHEDULED RUNNING PAUSED DONE
Message channel direction campaignId stepId prospectId newsletterIssueId subject body status providerId sentAt openedAt repliedAt | MessageChannel EMAIL SMS CHAT | MessageStatus QUEUED SENT DELIVERED OPENED REPLIED BOUNCED FAILED
AIInsight subjectType subjectId kind title body confidence status model | InsightStatus NEW ACCEPTED DISMISSED
MarketplaceItem sku title kind status priceMinor currency description | ItemKind PRODUCT SERVICE | ItemStatus AVAILABLE SOLD_OUT COMING_SOON
MarketplaceOrder number buyerId status totalMinor currency placedAt | OrderStatus PENDING PAID FULFILLED CANCELLED REFUNDED
MarketplaceOrderItem orderId itemId quantity unitMinor
NewsletterSubscriber email status locale confirmedAt unsubscribedAt source | SubscriberStatus PENDING ACTIVE UNSUBSCRIBED BOUNCED COMPLAINED
NewsletterIssue subject body status scheduledAt sentAt stats
BookingSlot kind startsAt endsAt timeZone capacity isBlocked | SlotKind AVAILABLE BLOCKED
AuditBooking slotId auditType status contactEmail contactName notes timeZone meetingUrl | BookingStatus SCHEDULED CONFIRMED IN_PROGRESS COMPLETED CANCELLED NO_SHOW RESCHEDULED
ContentEntry type slug locale title body status authorId publishedAt searchVector version | ContentStatus DRAFT PUBLISHED ARCHIVED
SystemSetting key value updatedById
JobRun job status startedAt finishedAt processed failed dryRun error | JobStatus RUNNING OK FAILED SKIPPED
SeedRun seeder checksum mode rows ranAt
IdempotencyKey key principal method route requestHash status responseStatus responseHeaders responseBody expiresAt | IdemStatus IN_FLIGHT DONE
WebhookEndpoint url secretRefs events isActive failureCount disabledAt
WebhookDelivery endpointId eventId attempt status responseStatus nextAttemptAt durationMs | DeliveryStatus PENDING OK FAILED DEAD
`

export const askedFor: readonly AskedFor[] = text
  .trim()
  .split('\n')
  .map(line => {
    const [described, ...enums] = line.split(' | ').map(part => part.split(' '))
    const [entity, ...fields] = described as [string, ...string[]]
    return { entity, fields, values: enums.map(([, ...values]) => values) }
  })
