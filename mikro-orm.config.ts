import { mikroOrmConfig } from './src/cli/index.ts'

export default () => mikroOrmConfig()
