/**
 * Resources: the endpoints of everything that a tenant owns. What an entity's metadata says (its fields, their types, its relations and
 * indexes, whether it has versions, is audited, or is only marked as deleted) decides what can be asked; one line per entity says what a client
 * may write, and actions are what its methods and services do.
 */
export { catalogue } from './catalogue.ts'
export { registerResources, type ShownAs } from './register.ts'
export {
  type Action,
  action,
  asked,
  type Creation,
  creation,
  type Resource,
  resource,
  type ResourceOptions,
  sent,
  type Together,
  type Verb,
} from './resource.ts'
