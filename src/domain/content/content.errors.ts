import { DaybookError } from '../../kernel/error.ts'

export class EntryIncompleteError extends DaybookError {
  readonly code = 'content.entry_incomplete'

  constructor(entry: string, missing: readonly string[]) {
    super(`The entry can't be published without ${missing.join(' and ')}. Write it first.`, { entry, missing })
  }
}

export class AddressFixedError extends DaybookError {
  readonly code = 'content.address_fixed'

  constructor(slug: string) {
    super(`${slug} is published, so its address stays. Unpublish it first.`, { slug })
  }
}

export class LocaleInvalidError extends DaybookError {
  readonly code = 'content.locale_invalid'

  constructor(locale: string, options?: ErrorOptions) {
    super(`"${locale}" is no locale. Write it like fr or fr-CA.`, { locale }, options)
  }
}
