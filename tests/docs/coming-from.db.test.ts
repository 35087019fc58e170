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

/** What the page assumes: an organization with its owner, and a role that somebody has deleted. Another organization has its own. */
const before = `
import * as daybook from './src/index.ts'
import * as helpers from './src/helpers/index.ts'
const {
  AuthService, can, cleanupExpiredSessions, cleanupSoftDeletedRecords, checkDatabaseHealth, createPaginatedResponse, createTenantClient,
  getPaginationParams, history, Membership, Organization, openDaybook, PaginatedRepository, Prospect, registerOrganization,
  restore: restoreFromLog, Role, searchProspects, Session, softDelete, systemActor, tenantContext, transactionHelpers, User, userActor,
  UserRepository, withRetry, withSoftDelete, withTenant,
} = daybook
const { restore: restoreDeleted } = helpers
const db = await openDaybook({ inMemory: true, logQueries: false })
const owner = { email: 'ann@acme.example', password: 'a long and private sentence', organization: { name: 'Acme' } }
const { organization: { id: tenant }, user: { id: user } } = await registerOrganization(db, owner)
await registerOrganization(db, { ...owner, email: 'zoe@other.example', organization: { name: 'Other' } })
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

const daysAgo = (days: number) => new Date(Date.now() - days * 86_400_000)
const anew = () => db.scope({ tenant, actor })
const emails = (rows: readonly { readonly email: string }[]) => rows.map(({ email }) => email).toSorted()
const stored = async () => emails(await anew().find(Prospect, {}))
const roles = (key: string) => anew().count(Role, { key })
const answers: unknown[] = []
`

interface Promised {
  /** What the call begins with, or has in it. */
  readonly call: string
  /** What has to be there before it. */
  readonly first?: string
  /** Asked after the call, of whose value it may make use. */
  readonly ask: string
  readonly answer: unknown
}

const [ada, bob, cy] = ['ada@example.com', 'bob@example.com', 'cy@example.com']

/** What the page says of each call, in the order of the page. */
const promised: readonly Promised[] = [
  { call: "em.create(Prospect, { email: 'ada@example.com'", ask: 'await stored()', answer: [ada] },
  { call: 'for (const email of', ask: 'await stored()', answer: [ada, bob, cy] },
  { call: 'score: { $gte: 50 }', ask: 'emails(result)', answer: [ada] },
  { call: "em.find(Prospect, { status: 'NEW' })", ask: 'emails(result)', answer: [ada, bob, cy] },
  { call: 'em.findOne(Prospect', ask: 'result?.email', answer: ada },
  { call: 'em.findOneOrFail(Prospect', ask: 'result.email', answer: ada },
  { call: 'em.count(Prospect', ask: 'result', answer: 3 },
  { call: "fields: ['id', 'email']", ask: 'emails(result)', answer: ['ann@acme.example'] },
  { call: "populate: ['user']", ask: 'result.map(({ user }) => user.getEntity().email)', answer: ['ann@acme.example'] },
  { call: ".company = 'Example'", ask: "(await anew().findOneOrFail(Prospect, { company: 'Example' })).email", answer: ada },
  { call: 'em.nativeUpdate', ask: "[result, await anew().count(Prospect, { region: 'EU' })]", answer: [3, 3] },
  { call: 'em.upsert(Role', ask: "[result.key, await roles('REVIEWER')]", answer: ['REVIEWER', 1] },
  { call: 'em.remove(', ask: "await roles('REVIEWER')", answer: 0 },
  { call: 'group by status', ask: 'result.map(({ status, count }) => [status, Number(count)])', answer: [['NEW', 3]] },
  { call: 'where score > ?', ask: 'result', answer: [{ email: ada }] },
  { call: "key: 'ONE'", ask: "await roles('ONE')", answer: 1 },
  { call: "key: 'TWO'", ask: "await roles('TWO')", answer: 1 },
  { call: "key: 'SIX'", ask: "await roles('SIX')", answer: 1 },
  { call: 'withRetry(', ask: 'result === (await anew().count(Role))', answer: true },
  { call: 'async em => em.count(Role))', ask: 'result === (await anew().count(Role))', answer: true },
  { call: 'tenantContext.getStore()', ask: "result?.kind === 'tenant' && result.tenantId === tenant", answer: true },
  { call: 'createTenantClient(', ask: 'result === (await anew().count(Role))', answer: true },
  { call: "reason: 'a monthly report'", ask: 'result > (await anew().count(Role))', answer: true },
  { call: 'const params =', ask: '[params.limit, params.offset, params.orderBy]', answer: [20, 0, [{ score: 'desc' }, { id: 'desc' }]] },
  // PostgreSQL puts what has no score first.
  { call: 'const [data, total] =', ask: '[data.map(({ score }) => score), total]', answer: [[null, null, 80], 3] },
  {
    call: 'createPaginatedResponse(',
    ask: '[result.data.length, result.pagination]',
    answer: [3, { page: 1, limit: 20, total: 3, totalPages: 1, hasNext: false, hasPrevious: false }],
  },
  { call: 'findPaginated(', ask: 'emails(result.data)', answer: ['ann@acme.example'] },
  { call: 'findAfter(', ask: '[result.data.map(({ score }) => score), typeof result.next]', answer: [[80, null], 'string'] },
  { call: 'searchProspects(', ask: 'emails(result)', answer: [ada] },
  { call: 'softDelete(em,', ask: '[gone.deletedAt instanceof Date, await stored()]', answer: [true, [ada, cy]] },
  { call: "em.find(Prospect, { status: 'NEW' })", ask: 'emails(result)', answer: [ada, cy] },
  { call: 'withSoftDelete(', ask: 'result.map(({ name }) => name)', answer: ['Acme'] },
  { call: 'filters: { live: false }', ask: 'emails(result)', answer: [ada, bob, cy] },
  { call: 'restoreDeleted(', ask: 'await stored()', answer: [ada, bob, cy] },
  { call: 'restoreFromLog(', ask: "await roles('GONE')", answer: 1 },
  {
    call: 'cleanupExpiredSessions(',
    first: `await db.transact(operator, tx => tx.insert(Session, {
      id: user, user, sessionToken: 'old', expires: daysAgo(1), lastSeenAt: daysAgo(2) }))`,
    ask: 'result',
    answer: 1,
  },
  {
    call: 'cleanupSoftDeletedRecords(',
    first: `for (const days of [29, 31]) em.create(Prospect, { email: days + '@example.com', deletedAt: daysAgo(days) }); await em.flush()`,
    ask: "[result, emails(await anew().find(Prospect, { email: { $in: ['29@example.com', '31@example.com'] } }, { filters: { live: false } }))]",
    answer: [1, ['29@example.com']],
  },
  { call: 'getUserPermissions(', ask: "result.some(({ key }) => key.startsWith('role:'))", answer: true },
  { call: 'can(em, user', ask: 'result', answer: true },
  { call: 'checkDatabaseHealth(', ask: 'result', answer: 'healthy' },
  {
    call: 'history(em',
    ask: 'result.map(({ event }) => event.type)',
    answer: ['prospect.created', 'prospect.updated', 'prospect.updated'],
  },
  { call: 'db.close()', ask: 'await db.scope({ tenant, actor }).count(Role).then(() => "open", () => "closed")', answer: 'closed' },
]

/** A call that is an expression has a value; the others are asked for what they have left. */
function step(call: string, index: number): string {
  const { first = '', ask } = promised[index]!
  const isExpression = !/^(?:const|for) |; /.test(call)
  const value = `value${index}`
  return [
    first,
    isExpression ? `const ${value} = ${call}` : call,
    `answers.push(await (async result => (${ask}))(${isExpression ? value : 'undefined'}));`,
  ].join('\n')
}

test(
  'every call on the page for those who come from elsewhere does what the page says, one after the other',
  { timeout: 180_000 },
  async () => {
    expect(calls).toEqual(promised.map(({ call }) => expect.stringContaining(call)))
    const file = `coming-from-${process.pid}.ts`
    await writeFile(file, [before, ...calls.map(step), 'console.log(JSON.stringify(answers))'].join('\n'))
    try {
      const [{ stdout }] = await Promise.all([
        run(process.execPath, [file], { env: { PATH: process.env.PATH } }),
        run('node_modules/.bin/tsc', ['--noEmit', '--ignoreConfig', ...strict, file]),
      ])
      const answers = JSON.parse(stdout.trim().split('\n').at(-1)!) as unknown[]
      expect(answers.map((answer, index) => [calls[index], answer])).toEqual(promised.map(({ answer }, index) => [calls[index], answer]))
    } finally {
      await rm(file)
    }
  },
)

const strict = (
  '--strict --exactOptionalPropertyTypes --target es2024 --lib es2024,esnext.disposable --module nodenext --types node ' +
  '--allowImportingTsExtensions --skipLibCheck --erasableSyntaxOnly'
).split(' ')
