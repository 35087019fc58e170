export { mikroOrmConfig } from './mikro-orm-config.ts'
