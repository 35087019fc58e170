import type { DriverException } from '@mikro-orm/core'
import { PgliteDriver } from '@mikro-orm/pglite'
import { PostgreSqlDriver } from '@mikro-orm/postgresql'
import { DaybookError } from '../kernel/error.ts'
import { translateDriverError } from './driver-errors.ts'

/** The ORM's drivers, whose errors pass through our translation; ours, raised below the ORM, pass as they are. */
export class DaybookServerDriver extends PostgreSqlDriver {
  override convertException(exception: Error): DriverException {
    return translated(exception, error => super.convertException(error))
  }
}

export class DaybookEmbeddedDriver extends PgliteDriver {
  override convertException(exception: Error): DriverException {
    return translated(exception, error => super.convertException(error))
  }
}

/** The ORM's signature promises a DriverException, and rethrows whatever it is given. */
function translated(error: Error, convert: (error: Error) => DriverException): DriverException {
  return (error instanceof DaybookError ? error : translateDriverError(convert(error))) as DriverException
}
