import type { InvalidPart } from './http.errors.ts'
import type { Language } from './languages/index.ts'
import type { ProblemParts } from './problem-parts.ts'

/** An answer that says no, in the shape of RFC 9457. */
export interface Problem {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly code: string
  readonly detail: string
  readonly requestId: string
  readonly errors?: readonly Omit<InvalidPart, 'schemaError'>[]
}

/**
 * What the host answers to each error. A 500 stands where the caller can't help it: the message stays inside, because it speaks to
 * whoever wrote the program.
 */
const statuses: Readonly<Record<string, number>> = {
  internal: 500,

  'http.invalid_request': 400,
  'http.not_mounted': 500,
  'http.unauthenticated': 401,
  'http.credential_refused': 401,
  'http.sign_in_refused': 401,
  'http.person_required': 403,
  'http.cross_site': 403,
  'http.password_wrong': 403,
  'http.not_found': 404,
  'http.no_active_organization': 404,
  'http.route_not_found': 404,
  'http.method_not_allowed': 405,
  'http.conflict': 409,
  'http.version_conflict': 409,
  'http.reference_refused': 409,
  'http.token_refused': 410,
  'http.cursor_refused': 400,
  'http.condition_failed': 412,
  'http.condition_required': 428,
  'http.body_too_large': 413,
  'http.address_too_long': 414,
  'http.media_type': 415,
  'http.headers_too_large': 431,
  'http.request_late': 408,
  'http.reference_unknown': 422,
  'http.value_refused': 422,
  'http.too_many_requests': 429,
  'http.too_many_listeners': 429,
  'http.tenant_busy': 429,
  'http.busy': 503,
  'http.timeout': 503,
  // What proxies write into their logs for it; nobody is there to read the answer.
  'http.abandoned': 499,

  'state.transition_refused': 409,
  'secret.locked': 500,

  'identity.password_refused': 422,
  'identity.email_invalid': 422,
  'identity.cleanup_scope': 403,
  'organization.slug_invalid': 422,
  'organization.slug_taken': 409,
  'organization.not_served': 403,
  'access.denied': 403,
  'access.grant_exceeds_own': 403,
  'access.builtin_role_immutable': 409,
  'access.permission_unknown': 422,
  'access.role_cycle': 409,
  'access.role_in_use': 409,
  'access.role_key_taken': 409,
  'access.last_owner': 409,
  'access.membership_left': 409,
  'access.already_member': 409,
  'access.email_taken': 409,
  'access.invitation_invalid': 410,
  'access.invitation_state': 409,
  'access.api_key_state': 409,

  'billing.quota_exceeded': 429,
  'billing.quantity_refused': 422,
  'billing.signature_refused': 400,
  'billing.organization_unknown': 422,

  'work.stage_elsewhere': 409,
  'work.task_closed': 409,
  'work.pipeline_invalid': 422,
  'work.template_invalid': 422,
  'work.template_data': 422,
  'work.template_retired': 409,
  'work.nowhere_to_route': 409,
  'work.assignee_unknown': 422,
  'work.approval_state': 409,
  'work.approval_pending': 409,

  'agents.provider_address': 422,
  'agents.provider_secret_missing': 409,
  'agents.token_limit': 429,
  'agents.inactive': 409,
  'agents.impersonated': 403,
  'agents.rate_limit': 429,
  'agents.tool_not_allowed': 403,
  'agents.tool_unknown': 422,
  'agents.approval_needed': 409,
  'agents.no_approval_needed': 409,

  'outgoing.address_refused': 422,
  'outgoing.answer_late': 504,

  'automation.invalid': 422,
  'automation.inactive': 409,
  'automation.webhook_refused': 401,
  'automation.action_unknown': 422,
  'automation.answer_refused': 502,

  'documents.invalid': 422,
  'documents.too_large': 413,
  'documents.upload_late': 409,
  'documents.storage_key': 422,
  'documents.media_type': 415,
  'documents.content_mismatch': 422,
  'documents.file_missing': 404,
  'documents.unread': 409,
  'documents.chunking_invalid': 422,
  'documents.embedding_refused': 422,
  'documents.embedding_failed': 502,
  'documents.dimension_mismatch': 409,
  'documents.citation_refused': 422,
  'documents.citation_failed': 502,
  'documents.call_inside_transaction': 500,

  'system.setting_invalid': 422,
  'idempotency.in_flight': 409,
  'idempotency.mismatch': 422,
  'webhook.event_pattern': 422,
  'outbox.topic_invalid': 422,
  'outbox.topic_unfollowed': 422,
  'outbox.payload_refused': 422,
  'scheduling.overlap': 409,
  'scheduling.period_invalid': 422,
  'scheduling.time_zone_unknown': 422,
  'scheduling.person_unknown': 422,
  'scheduling.search_invalid': 422,
  'scheduling.event_closed': 409,
  'scheduling.proposal_unknown': 409,
  'scheduling.task_invalid': 422,
  'scheduling.connection_inactive': 409,
  'scheduling.connection_foreign': 403,

  'quality.project_inactive': 409,
  'quality.signature_elsewhere': 422,

  'commerce.order_invalid': 422,
  'commerce.item_unavailable': 409,
  'commerce.subscription_token': 410,
  'commerce.issue_not_ready': 422,
  'commerce.issue_not_due': 409,
  'commerce.slot_unavailable': 409,
  'commerce.slot_in_use': 409,

  'content.entry_incomplete': 422,
  'content.address_fixed': 409,
  'content.locale_invalid': 422,
  'sales.profile_invalid': 422,
  'sales.profile_missing': 409,
  'sales.email_taken': 409,
  'sales.prospect_unknown': 422,
  'sales.sequence_invalid': 422,
  'sales.campaign_running': 409,
  'sales.sequence_locked': 409,
  'sales.sequence_inactive': 409,
  'sales.placeholder_unknown': 422,
  'sales.campaign_undated': 422,
  'sales.campaign_closed': 409,

  'helpers.pagination_invalid': 422,
  'helpers.not_soft_deletable': 500,

  'history.not_audited': 404,
  'history.event_unknown': 404,
  'history.moment_invalid': 422,
  'history.question_invalid': 422,
  'history.nothing_then': 404,
  'history.cursor_invalid': 400,
  'history.read_only': 500,
  'history.schema_named': 500,
  'history.no_kysely': 500,
  'history.revert_conflict': 409,
  'history.not_revertible': 409,
  'history.not_restorable': 409,
  'history.value_erased': 409,
  'audit.value_unknown': 500,
  'audit.keyring_missing': 500,
  'audit.person_key_locked': 500,
  'audit.decision_unknown': 404,
  'audit.decision_settled': 409,
  'audit.own_decision': 403,
  'audit.subject_unknown': 422,
  'ledger.event_unknown': 404,
  'ledger.not_sealed_yet': 409,
  'ledger.size_unknown': 404,
  'ledger.note_malformed': 422,
  'ledger.broken': 500,
  'ledger.key_missing': 500,
  'ledger.origin_invalid': 500,

  'scope.invalid': 500,
  'scope.immutable': 500,
  'scope.needs_transaction': 500,
  'scope.operator_unavailable': 500,
  'tenancy.context_missing': 500,
  'tenancy.wrong_region': 421,
  'tenancy.row_refused': 403,
  'tenancy.identity_immutable': 409,
  'transaction.rolled_back': 500,
  'transaction.over': 500,
  'transaction.abandoned': 499,
  'transaction.outcome_unknown': 503,
  'model.entity_not_scoped': 500,
  'model.unique_across_tenants': 500,
  'model.personal_type': 500,
  'model.property_not_stored': 500,
  'model.version_type': 500,
  'model.owner_type': 500,
  'model.hidden_past': 500,
  'model.policy_widens': 500,
  'configuration.invalid': 500,
  'database.unreachable': 503,
  'database.role_missing': 500,
  'database.isolation_broken': 503,
  'database.not_migrated': 503,
  'database.embedded_busy': 503,
  'database.embedded_in_use': 503,
  'migration.running': 503,
  'migration.unknown': 500,
  'seeding.refused': 500,
  'job.blind': 500,
}

/** The statuses of an application's own errors, by their codes. */
export type OwnStatuses = Readonly<Record<string, number>>

export function statusOfCode(code: string): number | undefined {
  return statuses[code]
}

/** Every code that an answer of the host may have. */
export function knownCodes(): string[] {
  return Object.keys(statuses)
}

export function problem(parts: ProblemParts, requestId: string, language: Language): Problem {
  const { code, errors } = parts
  const status = statusOfCode(code) ?? parts.status ?? 500
  return {
    type: `urn:daybook:problem:${code}`,
    title: language.title(status),
    status,
    code,
    detail: language.detail(parts),
    requestId,
    ...(errors && { errors: errors.map(part => ({ pointer: part.pointer, detail: language.complaint(part), in: part.in })) }),
  }
}
