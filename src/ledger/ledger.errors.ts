import { DaybookError } from '../kernel/error.ts'

export class NoteMalformedError extends DaybookError {
  readonly code = 'ledger.note_malformed'

  constructor(expected: string) {
    super(`That is no signed checkpoint: expected ${expected}. Give it as it was published, to the byte.`, { expected })
  }
}

export class EventUnknownError extends DaybookError {
  readonly code = 'ledger.event_unknown'

  constructor(id: string) {
    super(`There is no event ${id} in this log. Check the id and the organization.`, { id })
  }
}

export class NotSealedYetError extends DaybookError {
  readonly code = 'ledger.not_sealed_yet'

  constructor(id: string) {
    super(`Event ${id} isn’t sealed yet, so nothing proves it. The job \`seal\` takes it within seconds of its commit; ask again.`, { id })
  }
}

export class SizeUnknownError extends DaybookError {
  readonly code = 'ledger.size_unknown'

  constructor(size: number) {
    super(
      `No checkpoint of this log has the size ${size}, or one was to lead to a smaller one. Take sizes of checkpoints, the smaller first.`,
      {
        size,
      },
    )
  }
}

export class LedgerBrokenError extends DaybookError {
  readonly code = 'ledger.broken'

  constructor(log: string, what: string) {
    super(
      `The ledger of log ${log} doesn’t fit: ${what}. Run \`npm run audit -- verify --tenant ${log}\` before anything else is sealed.`,
      {
        log,
        what,
      },
    )
  }
}

export class LedgerKeyMissingError extends DaybookError {
  readonly code = 'ledger.key_missing'

  constructor() {
    super(`There is no key to sign checkpoints with. Set DAYBOOK_MASTER_KEY to the output of \`openssl rand -base64 32\`.`)
  }
}

export class OriginInvalidError extends DaybookError {
  readonly code = 'ledger.origin_invalid'

  constructor(installation: string) {
    super(`“${installation}” can’t name an installation in its checkpoints: give a name without spaces and “+”, such as a host’s.`, {
      installation,
    })
  }
}
