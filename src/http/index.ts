export { daybookHost } from './host.ts'
export { folderMailer, type Mail, type Mailer } from './mailer.ts'
export type { HostOptions, PluginOptions, RateLimits } from './options.ts'
export { daybookPlugin } from './plugin.ts'
export { knownCodes, type Problem, statusOfCode } from './problems.ts'
export {
  type Action,
  action,
  catalogue,
  type Creation,
  creation,
  type Resource,
  resource,
  type ResourceOptions,
  type Verb,
} from './resources/index.ts'
