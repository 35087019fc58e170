import type { MigrationDiff } from '@mikro-orm/core'
import { TSMigrationGenerator } from '@mikro-orm/migrations'

/**
 * Writes migrations of entities of one's own. The ORM knows the product's functions from the database alone and would have `down` make them
 * anew from what it reads there, which is less than their own migrations say.
 */
export class DaybookMigrationGenerator extends TSMigrationGenerator {
  override generateMigrationFile(className: string, { up, down }: MigrationDiff): string {
    return super.generateMigrationFile(className, { up, down: withoutDoubleGaps(down.filter(sql => !ofTheProduct.test(sql))) })
  }
}

const ofTheProduct = /^create or replace function "daybook_/

function withoutDoubleGaps(statements: readonly string[]): string[] {
  const kept = statements.filter((sql, index) => sql !== '' || (statements[index - 1] ?? '') !== '')
  return kept.at(-1) === '' ? kept.slice(0, -1) : kept
}
