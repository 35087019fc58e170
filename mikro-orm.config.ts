export { cliOptions as default } from './src/cli-options.ts'
