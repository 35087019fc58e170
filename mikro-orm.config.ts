import { existsSync } from 'node:fs'
import { mikroOrmConfig } from './src/cli/index.ts'

// The command takes what `npm start` takes; what the environment has already stays as it is.
if (existsSync('.env')) process.loadEnvFile()

export default () => mikroOrmConfig()
