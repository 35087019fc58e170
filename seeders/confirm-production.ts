import { createInterface } from 'node:readline/promises'
import { stdin, stdout } from 'node:process'
import type { DatabaseConfig, SeedConfig } from '../src/config.ts'
import { DaybookError } from '../src/kernel/error.ts'

export class SeedingRefusedError extends DaybookError {
  readonly code = 'seeding.refused'

  constructor(database: string) {
    super(
      `Demo data was not written: this is a production environment, and nobody typed the database's name. Run it on a terminal, or set DAYBOOK_SEED_CONFIRM=${database}.`,
      { database },
    )
  }
}

/** Demo people have known names, so a production database gets them only when somebody names it. */
export async function confirmProduction(config: DatabaseConfig & SeedConfig): Promise<void> {
  if (config.environment !== 'production') return
  const url = config.directUrl ?? config.databaseUrl
  const database = url ? decodeURIComponent(new URL(url).pathname.slice(1)) : config.dataDirectory
  const answer =
    config.seedConfirm ?? (stdin.isTTY ? await ask(`This is production. Type the database's name (${database}) to write demo data: `) : '')
  if (answer !== database) throw new SeedingRefusedError(database)
}

async function ask(question: string): Promise<string> {
  const terminal = createInterface({ input: stdin, output: stdout })
  return terminal.question(question).finally(() => terminal.close())
}
