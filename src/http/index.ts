export { daybookHost } from './host.ts'
export { folderMailer, type Mail, type Mailer } from './mailer.ts'
export type { Files, HostOptions, PluginOptions, RateLimits } from './options.ts'
export { daybookPlugin } from './plugin.ts'
export { knownCodes, type Problem, statusOfCode } from './problems.ts'
export {
  type Action,
  action,
  asked,
  catalogue,
  type Creation,
  creation,
  type Resource,
  resource,
  type ResourceOptions,
  sent,
  type Together,
  type Verb,
} from './resources/index.ts'
