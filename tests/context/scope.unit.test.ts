import { expect, test } from 'vitest'
import {
  agentActor,
  apiKeyActor,
  resolveScope,
  ScopeInvalidError,
  type ScopeInput,
  sessionVariables,
  systemActor,
  TenantContextMissingError,
  tenantContext,
  userActor,
} from '../../src/context/index.ts'
import { currentScope } from '../../src/context/index.ts'
import { newId } from '../../src/kernel/id.ts'

const tenant = newId()
const user = newId()
/** What a program without types, or with a `!` too many, gives. */
const nothing = undefined as unknown as string

test('a tenant scope takes an organization or its id', () => {
  const byId = resolveScope({ tenant, actor: userActor(user) })
  expect(byId).toEqual(resolveScope({ tenant: { id: tenant }, actor: userActor({ id: user }) }))
  expect(byId).toMatchObject({ kind: 'tenant', tenantId: tenant })
})

test('a scope is frozen', () => {
  const scope = resolveScope({ tenant, actor: userActor(user) })
  expect(() => Object.assign(scope, { tenantId: newId() })).toThrow(TypeError)
})

test.each<[string, () => ScopeInput]>([
  ['a tenant that is no UUID', () => ({ tenant: "' or true --", actor: userActor(user) })],
  ['a tenant that is undefined', () => ({ tenant: nothing, actor: userActor(user) })],
  ['no tenant at all', () => ({ actor: userActor(user) }) as ScopeInput],
  ['a user that is undefined', () => ({ tenant, actor: userActor(nothing) })],
  ['a user that is no UUID', () => ({ tenant, actor: userActor('root') })],
  ['an API key that is no UUID', () => ({ tenant, actor: apiKeyActor('dbk_live_x') })],
  ['an agent that is no UUID', () => ({ tenant, actor: agentActor('gpt') })],
  ['a nameless system actor', () => ({ tenant, actor: systemActor('') })],
  ['an operator without a reason', () => ({ kind: 'operator', actor: systemActor('support'), reason: ' ' })],
])('%s makes no scope', (_title, input) => {
  expect(() => resolveScope(input())).toThrow(ScopeInvalidError)
})

test('session variables say who acts for whom and why', () => {
  const scope = resolveScope({ tenant, actor: userActor(user), requestId: 'r', correlationId: 'c', causationId: 'k', reason: 'import' })
  expect(sessionVariables(scope)).toEqual({
    'daybook.scope': 'tenant',
    'daybook.tenant_id': tenant,
    'daybook.actor_type': 'user',
    'daybook.actor_id': user,
    'daybook.user_id': user,
    'daybook.request_id': 'r',
    'daybook.correlation_id': 'c',
    'daybook.causation_id': 'k',
    'daybook.reason': 'import',
  })
})

test('only a person sets the variable that people’s policies read', () => {
  expect(sessionVariables(resolveScope({ tenant, actor: systemActor('retention') }))).not.toHaveProperty('daybook.user_id')
  expect(sessionVariables(resolveScope({ tenant, actor: apiKeyActor(newId()) }))).not.toHaveProperty('daybook.user_id')
})

test('an identity scope has no tenant, and carries its claim', () => {
  const variables = sessionVariables(resolveScope({ kind: 'identity', actor: systemActor('sign-in'), claim: { email: 'a@example.com' } }))
  expect(variables).toMatchObject({ 'daybook.scope': 'identity', 'daybook.claim_email': 'a@example.com' })
  expect(variables).not.toHaveProperty('daybook.tenant_id')
})

test('the scope at hand survives awaiting, and parallel work keeps its own', async () => {
  const scopes = Array.from({ length: 20 }, () => resolveScope({ tenant: newId(), actor: userActor(user) }))
  const seen = await Promise.all(
    scopes.map(scope =>
      tenantContext.run(scope, async () => {
        await new Promise(resolve => setTimeout(resolve, Math.random() * 5))
        return currentScope()
      }),
    ),
  )
  expect(seen).toEqual(scopes)
})

test('without a scope at hand the error says how to get one', () => {
  expect(() => currentScope()).toThrow(TenantContextMissingError)
  expect(() => currentScope()).toThrow(/daybook\.scope\(\{ tenant, actor \}\)/)
})
