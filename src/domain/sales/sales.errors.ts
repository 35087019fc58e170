import { DaybookError } from '../../kernel/error.ts'

export class ProfileInvalidError extends DaybookError {
  readonly code = 'sales.profile_invalid'

  constructor(problems: readonly string[]) {
    super(`The profile can't be used: ${problems.join('; ')}.`, { problems })
  }
}

export class ProfileMissingError extends DaybookError {
  readonly code = 'sales.profile_missing'

  constructor(prospect: string) {
    super(`Prospect ${prospect} has no profile to be measured by. Give it one, or name one for this score.`, { prospect })
  }
}

export class ProspectEmailTakenError extends DaybookError {
  readonly code = 'sales.email_taken'

  constructor(options?: ErrorOptions) {
    super('Another prospect has this address. Work with that one, or change its address first.', {}, options)
  }
}

export class SequenceInvalidError extends DaybookError {
  readonly code = 'sales.sequence_invalid'

  constructor(problems: readonly string[]) {
    super(`The sequence can't be activated: ${problems.join('; ')}.`, { problems })
  }
}

export class SequenceLockedError extends DaybookError {
  readonly code = 'sales.sequence_locked'

  constructor(status: string) {
    const wayOut = status === 'ACTIVE' ? 'Pause it first.' : 'Make another sequence.'
    super(`The sequence is ${status}, so its steps stay as they are. ${wayOut}`, { status })
  }
}

export class PlaceholderUnknownError extends DaybookError {
  readonly code = 'sales.placeholder_unknown'

  constructor(problems: readonly string[]) {
    super(`The step can't be filled in: ${problems.join('; ')}.`, { problems })
  }
}

export class CampaignUndatedError extends DaybookError {
  readonly code = 'sales.campaign_undated'

  constructor() {
    super('A campaign without a start can’t be scheduled. Give it one, or run it now.')
  }
}

export class SequenceInactiveError extends DaybookError {
  readonly code = 'sales.sequence_inactive'

  constructor(status: string) {
    super(`The campaign's sequence is ${status}, so it would send nothing. Activate the sequence first.`, { status })
  }
}

export class CampaignClosedError extends DaybookError {
  readonly code = 'sales.campaign_closed'

  constructor(campaign: string) {
    super(`Campaign ${campaign} is DONE, so nobody is enrolled in it any more. Make another one.`, { campaign })
  }
}

export class CampaignRunningError extends DaybookError {
  readonly code = 'sales.campaign_running'

  constructor(campaign: string) {
    super(`Campaign ${campaign} is RUNNING, so its sequence stays: who is enrolled would go on in the middle of another. Pause it first.`, {
      campaign,
    })
  }
}

export class ProspectUnknownError extends DaybookError {
  readonly code = 'sales.prospect_unknown'

  constructor(prospect: string) {
    super(`There is no prospect ${prospect} here, or it is deleted. Check the id, or restore it first.`, { prospect })
  }
}
