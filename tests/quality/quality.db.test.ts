import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { systemActor } from '../../src/context/index.ts'
import {
  attestFix,
  AuditIssue,
  AuditResult,
  ErrorSignature,
  FixAttestation,
  Project,
  projectStatuses,
  projectTransitions,
  recordAudit,
  type ReportedError,
  reportError,
  signatureOf,
  verifyAttestations,
} from '../../src/entities.ts'
import { newId } from '../../src/kernel/id.ts'
import type { Daybook, ScopedEntityManager } from '../../src/orm/index.ts'
import { history, replayProblems } from '../../src/readers/index.ts'
import { openTestDatabase, type TestDatabase } from '../../src/testing/index.ts'
import { administer } from '../../src/testing/test-server.ts'

let database: TestDatabase
let daybook: Daybook
let tenant: string
let id: string

beforeAll(async () => {
  database = await openTestDatabase({ poolMax: 20 })
  daybook = database.daybook
})
afterAll(() => daybook.close())
beforeEach(async () => {
  tenant = newId()
  id = await work(async em => em.create(Project, { name: 'Engine', slug: 'engine' }).id)
})

function work<T>(does: (em: ScopedEntityManager) => Promise<T>): Promise<T> {
  return daybook.transact({ tenant, actor: systemActor('watcher') }, does)
}
const project = (em: ScopedEntityManager) => em.findOneOrFail(Project, id)
const at = (minute: number) => new Date(Date.UTC(2026, 10, 21, 10, minute))
const error: ReportedError = { detector: 'tsc', severity: 'HIGH', message: 'Type "a" is not "b".', file: 'src/a.ts', line: 7 }

describe('an error', () => {
  const report = (minute: number, more: Partial<ReportedError> = {}) =>
    work(async em => reportError(em, await project(em), { ...error, ...more }, at(minute)))

  test('that is the same is counted, whoever reports it in whatever order', async () => {
    await report(5)
    await report(9, { severity: 'LOW' })
    expect(await report(1)).toMatchObject({ occurrences: 3, severity: 'HIGH', firstSeenAt: at(1), lastSeenAt: at(9) })
    expect(await work(em => em.count(ErrorSignature))).toBe(1)
  })

  test.each([{ detector: 'eslint' }, { message: 'other' }, { file: 'src/b.ts' }, { line: 8 }])('with %j is another', more => {
    expect(signatureOf({ ...error, ...more })).not.toBe(signatureOf(error))
  })

  test('that was resolved is open again when it is seen again', async () => {
    await report(1)
    await work(async em => (await em.findOneOrFail(ErrorSignature, { hash: signatureOf(error) })).resolve(at(2)))
    expect(await report(3)).toMatchObject({ resolvedAt: null, occurrences: 2 })
  })

  test('that fifty report at once is one, seen fifty times, and the log tells each', async () => {
    await Promise.all(Array.from({ length: 50 }, (_none, minute) => report(minute)))
    const [signature, ...others] = await work(em => em.find(ErrorSignature, {}))
    expect(others).toEqual([])
    expect(signature).toMatchObject({ occurrences: 50, firstSeenAt: at(0), lastSeenAt: at(49) })
    await work(async em => {
      expect(await history(em, signature!)).toHaveLength(50)
      expect(await replayProblems(em)).toEqual([])
    })
  })

  test('belongs to one project of one tenant: the same elsewhere is another', async () => {
    await report(1)
    const other = await work(async em => em.create(Project, { name: 'Other', slug: 'other' }))
    await work(async em => reportError(em, await em.findOneOrFail(Project, other.id), error, at(2)))
    expect(await work(em => em.find(ErrorSignature, {}))).toHaveLength(2)
  })
})

describe('attestations', () => {
  const fix = { filesChanged: 1, linesAdded: 2, linesRemoved: 3, status: 'SUCCESS' as const }
  const attest = (requestId: string) => work(async em => attestFix(em, await project(em), { ...fix, requestId }))
  const verify = (batch?: number) => work(async em => verifyAttestations(em, await project(em), batch))

  test('form a chain that verifies, also when many are made at once', async () => {
    expect(await verify()).toEqual({ length: 0 })
    const signature = await work(async em => reportError(em, await project(em), error, at(1)))
    await work(async em => attestFix(em, await project(em), { ...fix, requestId: 'first', signature }))
    await Promise.all(Array.from({ length: 20 }, (_none, index) => attest(`${index}`)))
    expect(await verify()).toEqual({ length: 21 })
    expect(await verify(4)).toEqual({ length: 21 })
  })

  test('can’t be changed or taken out', async () => {
    await attest('a')
    for (const sql of ['update fix_attestation set lines_added = 9', 'delete from fix_attestation']) {
      await expect(work(em => em.execute(sql))).rejects.toThrow(/permission denied/)
    }
  })

  test.each([
    ['a changed count', 'update fix_attestation set lines_added = 900 where sequence = 2'],
    ['another signature', `update fix_attestation set request_id = 'mine' where sequence = 2`],
    ['a link taken out', 'delete from fix_attestation where sequence = 2'],
    ['a hash made to fit', `update fix_attestation set hash = repeat('a', 64) where sequence = 2`],
  ])('show %s, also by the administrator', async (_what, sql) => {
    for (const requestId of ['a', 'b', 'c']) await attest(requestId)
    await asAdministrator(`${sql} and project_id = '${id}'`)
    const { brokenAt } = await verify()
    expect(brokenAt).toBe(2)
  })

  test('belong to their project', async () => {
    await attest('a')
    const other = await work(async em => em.create(Project, { name: 'Other', slug: 'other' }))
    const [link] = await work(em => em.find(FixAttestation, {}))
    await asAdministrator(`update fix_attestation set project_id = '${other.id}' where id = '${link!.id}'`)
    expect(await work(async em => verifyAttestations(em, await em.findOneOrFail(Project, other.id)))).toEqual({ length: 0, brokenAt: 1 })
  })
})

async function asAdministrator(sql: string): Promise<void> {
  if (database.urls) return void (await administer(database.urls.administrator, sql))
  const connection = daybook.orm.driver.getConnection()
  for (const statement of ['reset role', sql, 'set role daybook_app']) await connection.execute(statement)
}

test('an audit keeps its issues, and its totals are counted', async () => {
  const issue = { suite: 'SECURITY' as const, message: 'No policy' }
  await work(async em =>
    recordAudit(em, await project(em), {
      url: 'https://example.com',
      scores: { SECURITY: 71 },
      status: 'PARTIAL',
      durationMs: 900,
      issues: [
        { ...issue, severity: 'HIGH' },
        { ...issue, severity: 'HIGH', selector: 'a' },
        { ...issue, severity: 'LOW' },
      ],
    }),
  )
  const result = await work(em => em.findOneOrFail(AuditResult, {}, { populate: ['issues'] }))
  expect(result).toMatchObject({ totals: { HIGH: 2, LOW: 1 }, environment: 'production', device: 'desktop' })
  expect(result.issues).toHaveLength(3)
  await work(async em => void em.remove(await em.findOneOrFail(AuditResult, result.id)))
  expect(await work(em => em.count(AuditIssue))).toBe(0)
})

describe('a project', () => {
  const moves = { ACTIVE: 'reactivate', ARCHIVED: 'archive', DELETED: 'delete' } as const

  test.each(projectStatuses.flatMap(from => projectStatuses.map(to => [from, to] as const)))(
    'that is %s becomes %s only if it may',
    (from, to) => {
      const some = Object.assign(new Project(), { status: from })
      if (projectTransitions[from].includes(to)) {
        some[moves[to]]()
        expect(some.status).toBe(to)
      } else expect(() => some[moves[to]]()).toThrow(expect.objectContaining({ code: 'state.transition_refused' }))
    },
  )

  test('that is not active takes nothing new', async () => {
    await work(async em => (await project(em)).archive())
    const attempts: ((em: ScopedEntityManager) => Promise<unknown>)[] = [
      async em => reportError(em, await project(em), error),
      async em => attestFix(em, await project(em), { requestId: 'a', filesChanged: 0, linesAdded: 0, linesRemoved: 0, status: 'FAILED' }),
      async em => recordAudit(em, await project(em), { url: 'u', scores: {}, status: 'FAILED', durationMs: 0, issues: [] }),
    ]
    for (const attempt of attempts) await expect(work(attempt)).rejects.toMatchObject({ code: 'quality.project_inactive' })
  })
})
