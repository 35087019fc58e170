import type { ApiKey } from './api-key.entity.ts'
import { implies } from './permission-decision.ts'

export function apiKeyAllows(apiKey: Pick<ApiKey, 'scopes'>, permission: string): boolean {
  return apiKey.scopes.some(scope => implies(scope, permission))
}
