import type { EntityManager } from '@mikro-orm/core'
import { Seeder } from '@mikro-orm/seeder'
import { confirmProduction } from './confirm-production.ts'
import { readSeedConfig } from '../src/config.ts'
import { Daybook } from '../src/orm/index.ts'
import { demoPasswords } from './demo-passwords.ts'
import { seedDemo } from './seed-demo.ts'

/** What `npx mikro-orm seeder:run` runs. */
export class DatabaseSeeder extends Seeder {
  async run(em: EntityManager): Promise<void> {
    const config = readSeedConfig()
    const passwords = demoPasswords(config)
    await confirmProduction(config)
    console.log('Demo data:')
    const { report, secrets } = await seedDemo(Daybook.around(em, config), { passwords, print: line => console.log(line) })
    console.log(report.summary())
    for (const [what, secret] of secrets) console.log(`${what}, shown this once: ${secret}`)
  }
}
