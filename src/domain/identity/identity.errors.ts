import { DaybookError } from '../../kernel/error.ts'

export class PasswordRefusedError extends DaybookError {
  readonly code = 'identity.password_refused'

  constructor(because: string) {
    super(`The password was refused: ${because}. Choose another one; a sentence is easier to keep than a word.`, { because })
  }
}

export class EmailInvalidError extends DaybookError {
  readonly code = 'identity.email_invalid'

  constructor() {
    super('That is not an e-mail address. It needs a name, an @ and a domain, and no more than 254 characters.')
  }
}

export class CleanupScopeError extends DaybookError {
  readonly code = 'identity.cleanup_scope'

  constructor() {
    super(`Sessions and tokens belong to no tenant, so only an operator finds all that have expired. Open the scope with kind: 'operator'.`)
  }
}
