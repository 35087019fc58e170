import type { EntityManager } from '@mikro-orm/core'
import { Seeder } from '@mikro-orm/seeder'
import { confirmProduction } from './confirm-production.ts'
import { readConfig } from '../src/config.ts'
import { Daybook } from '../src/orm/index.ts'
import { seedDemo } from './seed-demo.ts'

/** What `npx mikro-orm seeder:run` runs. */
export class DatabaseSeeder extends Seeder {
  async run(em: EntityManager): Promise<void> {
    const config = readConfig()
    await confirmProduction(config)
    console.log('Demo data:')
    const { report, password } = await seedDemo(Daybook.around(em, config), {
      ...(config.seedPassword && { password: config.seedPassword }),
      print: line => console.log(line),
    })
    console.log(report.summary())
    if (password && !config.seedPassword) console.log(`Everybody's password, shown this once: ${password}`)
  }
}
