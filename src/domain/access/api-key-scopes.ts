import type { ApiKey } from './api-key.entity.ts'
import { implies } from './permission-decision.ts'

export function apiKeyAllows(apiKey: ApiKey, permission: string): boolean {
  return apiKey.scopes.some(scope => implies(scope, permission))
}
