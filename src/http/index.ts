export { daybookHost } from './host.ts'
export type { Access } from './host-state.ts'
export { inTenant, type Work } from './in-tenant.ts'
export type { ListenerLimits } from './listeners.ts'
export { folderMailer, type Mail, type Mailer } from './mailer.ts'
export { securitySchemes } from './openapi.ts'
export type { Area, Files, HostOptions, MountOptions, PluginOptions, RateLimits, RequestOptions } from './options.ts'
export { daybookPlugin } from './plugin.ts'
export { knownCodes, type Problem, statusOfCode } from './problems.ts'
export { daybookRequests } from './requests.ts'
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
