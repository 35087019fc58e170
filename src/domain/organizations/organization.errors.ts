import { DaybookError } from '../../kernel/error.ts'

export class SlugInvalidError extends DaybookError {
  readonly code = 'organization.slug_invalid'

  constructor() {
    super('A slug has 1 to 63 lower-case letters and digits, in groups joined by single hyphens.')
  }
}

export class SlugTakenError extends DaybookError {
  readonly code = 'organization.slug_taken'

  constructor(slug: string, options?: ErrorOptions) {
    super(
      `Another organization has the slug "${slug}". Choose another one, or leave it out to have one made from the name.`,
      { slug },
      options,
    )
  }
}

export class OrganizationNotServedError extends DaybookError {
  readonly code = 'organization.not_served'

  constructor(status: string) {
    super(`The organization is ${status.toLowerCase()}, so this can't be done. An operator can open it again.`, { status })
  }
}

export class WrongRegionError extends DaybookError {
  readonly code = 'tenancy.wrong_region'

  constructor(region: string, here: string) {
    super(`The data of this organization is kept in ${region}, and here ${here} is served. Ask the host of its own region.`, {
      region,
      here,
    })
  }
}
