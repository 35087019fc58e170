import { join } from 'node:path'
import { mikroOrmConfig } from 'daybook/cli'
import { entities, migrations } from './model.ts'

/** For `npx mikro-orm migration:create`, which compares the entities with the database and writes what is missing into this folder. */
export default () => {
  const config = mikroOrmConfig({ entities, migrations })
  return { ...config, migrations: { ...config.migrations, path: join(import.meta.dirname, 'migrations') } }
}
