import { execFile } from 'node:child_process'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const run = promisify(execFile)
const page = await readFile('docs/coming-from-prisma-or-drizzle.md', 'utf8')

/** The right-hand column of every table of calls; the table of commands is for a shell. */
const calls = page
  .slice(0, page.indexOf('## Commands'))
  .split('\n')
  .flatMap(line => /^\| (?!Before).+ \| `(.+)` \|$/.exec(line)?.[1] ?? [])

/** What the page assumes: an organization with its owner, and a role that somebody has deleted. */
const before = `
import * as daybook from './src/index.ts'
import * as helpers from './src/helpers/index.ts'
const {
  AuthService, can, cleanupExpiredSessions, cleanupSoftDeletedRecords, checkDatabaseHealth, createPaginatedResponse, createTenantClient,
  getPaginationParams, history, Membership, Organization, openDaybook, PaginatedRepository, Prospect, registerOrganization,
  restore: restoreFromLog, Role, searchProspects, softDelete, systemActor, tenantContext, transactionHelpers, User, userActor,
  UserRepository, withRetry, withSoftDelete, withTenant,
} = daybook
const { restore: restoreDeleted } = helpers
const db = await openDaybook({ inMemory: true, logQueries: false })
const owner = { email: 'ann@acme.example', password: 'a long and private sentence', organization: { name: 'Acme' } }
const { organization: { id: tenant }, user: { id: user } } = await registerOrganization(db, owner)
const actor = userActor(user)
const operator = { kind: 'operator', actor: systemActor('clean-up'), reason: 'clean-up' } as const
const em = db.scope({ tenant, actor })
async function idOfDeletedRole(): Promise<string> {
  const role = em.create(Role, { key: 'GONE', name: 'Gone' })
  await em.flush()
  em.remove(role)
  await em.flush()
  return role.id
}
`

test('every call on the page for those who come from elsewhere works, one after the other', { timeout: 60_000 }, async () => {
  expect(calls.length).toBeGreaterThan(35)
  const file = `coming-from-${process.pid}.ts`
  await writeFile(file, [before, ...calls.map((call, index) => `${call}\nconsole.log('call ${index}');`)].join('\n'))
  try {
    const { stdout } = await run(process.execPath, [file], { env: { PATH: process.env.PATH } })
    expect(stdout.trim().split('\n').at(-1)).toBe(`call ${calls.length - 1}`)
    await run('node_modules/.bin/tsc', ['--noEmit', '--ignoreConfig', ...strict, file])
  } finally {
    await rm(file)
  }
})

const strict = (
  '--strict --exactOptionalPropertyTypes --target es2024 --lib es2024,esnext.disposable --module nodenext --types node ' +
  '--allowImportingTsExtensions --skipLibCheck --erasableSyntaxOnly'
).split(' ')
