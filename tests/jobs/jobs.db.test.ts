import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { systemActor, userActor } from '../../src/context/index.ts'
import { Invitation, JobRun, Organization, registerOrganization, type Registered, Role, Session } from '../../src/entities.ts'
import { RoleRepository } from '../../src/helpers/index.ts'
import { type Job, type JobReport, jobs, runJob, startJobs } from '../../src/jobs/index.ts'
import { newId } from '../../src/kernel/id.ts'
import type { Daybook, ScopedEntityManager } from '../../src/orm/index.ts'
import { feed } from '../../src/readers/index.ts'
import { openTestDatabase, type TestDatabase } from '../../src/testing/index.ts'

let database: TestDatabase
let daybook: Daybook
let registered: Registered[]
const tenants = () => registered.map(({ organization }) => organization.id).toSorted()

beforeAll(async () => {
  database = await openTestDatabase()
  daybook = database.daybook
  const register = (index: number) =>
    registerOrganization(daybook, {
      email: `${newId()}@example.com`,
      password: 'a long enough one',
      organization: { name: `Number ${index}` },
    })
  registered = [await register(1), await register(2), await register(3)]
})
afterAll(() => daybook.close())
beforeEach(() => asOperator(em => em.nativeDelete(JobRun, {})))

const operator = { kind: 'operator', actor: systemActor('test'), reason: 'a test' } as const
const asOperator = <T>(work: (em: ScopedEntityManager) => Promise<T>) => daybook.transact(operator, work)
const inTenant = <T>(tenant: string, work: (em: ScopedEntityManager) => Promise<T>) =>
  daybook.transact({ tenant, actor: systemActor('test') }, work)
const runs = () => asOperator(em => em.find(JobRun, {}, { orderBy: { startedAt: 'asc', id: 'asc' } }))
const named = (name: string): Job => jobs.find(job => job.name === name)!

/** Counts each tenant once. */
function counting(name: string, more: Partial<Job> = {}): Job & { readonly seen: string[] } {
  const seen: string[] = []
  return {
    name,
    everyMs: 1_000,
    seen,
    async forTenant(em) {
      const scope = em.boundScope!
      if (scope.kind !== 'tenant' || seen.includes(scope.tenantId)) return 0
      seen.push(scope.tenantId)
      return 1
    },
    ...more,
  }
}

describe('a job', () => {
  test('works for one tenant after the other, and each reads its own run', async () => {
    const job = counting('count')
    expect(await runJob(daybook, job)).toMatchObject({ status: 'OK', processed: 3, failed: 0 })
    expect(job.seen).toEqual(tenants())
    const [first] = tenants()
    const own = await inTenant(first!, em => em.find(JobRun, {}))
    expect(own).toMatchObject([{ job: 'count', tenantId: first, status: 'OK', processed: 1 }])
  })

  test('goes on with the others when it fails for one, and says for whom and why', async () => {
    const [, second] = tenants()
    const job = counting('fail')
    const failing: Job = {
      ...job,
      forTenant: async (em, context) => {
        const scope = em.boundScope!
        if (scope.kind === 'tenant' && scope.tenantId === second) throw new Error('The paper is out.')
        return job.forTenant!(em, context)
      },
    }
    expect(await runJob(daybook, failing)).toMatchObject({ status: 'FAILED', processed: 2, failed: 1 })
    expect(await runs()).toContainEqual(expect.objectContaining({ tenantId: second, status: 'FAILED', error: 'The paper is out.' }))
  })

  test('has its tenant at hand, in its transactions and between them', async () => {
    const seen: [string, string | undefined][] = []
    const note = (where: string) => {
      const scope = daybook.current().boundScope!
      seen.push([where, scope.kind === 'tenant' && scope.actor.id === 'job:at-hand' ? scope.tenantId : undefined])
    }
    const job: Job = {
      name: 'at-hand',
      everyMs: 1_000,
      async forTenant(em) {
        note('within')
        expect(daybook.current()).toBe(em)
        expect(await new RoleRepository().count({ key: 'OWNER' })).toBe(1)
        return 0
      },
      async outsideForTenant({ transact }) {
        note('between')
        expect(await new RoleRepository().count({ key: 'OWNER' })).toBe(1)
        await transact(async em => expect(daybook.current()).toBe(em))
        return 0
      },
    }
    expect(await runJob(daybook, job)).toMatchObject({ status: 'OK', failed: 0 })
    // Several tenants have their turn at once.
    const inOrder = seen.toSorted(([, one = ''], [, two = '']) => (one < two ? -1 : Number(one > two)))
    expect(inOrder).toEqual(
      tenants()
        .toSorted()
        .flatMap(tenant => [
          ['within', tenant],
          ['between', tenant],
        ]),
    )
    expect(() => daybook.current()).toThrow(expect.objectContaining({ code: 'tenancy.context_missing' }))
  })

  test('that sees nothing where its tenant has rows fails', async () => {
    const due: Job['due'] = em => (em.boundScope!.kind === 'operator' ? em.count(Role) : Promise.resolve(0))
    const blind: Job = { name: 'blind', everyMs: 1_000, due, forTenant: () => Promise.resolve(0) }
    expect(await runJob(daybook, blind)).toMatchObject({ status: 'FAILED', failed: 3 })
    const [run] = await asOperator(em => em.find(JobRun, { tenantId: { $ne: null } }))
    expect(run!.error).toMatch(/found nothing to do for tenant .*, where an operator sees \d+/)
  })

  test('that does nothing of what is due, for somebody else has it in hand, isn’t blind', async () => {
    const late: Job = { name: 'late', everyMs: 1_000, due: em => em.count(Role), forTenant: () => Promise.resolve(0) }
    expect(await runJob(daybook, late)).toMatchObject({ status: 'OK', failed: 0 })
    const doneMeanwhile = new Set<string>()
    const due = async (_em: ScopedEntityManager, _at: Date, tenant?: string) =>
      !tenant || doneMeanwhile.has(tenant) ? 0 : doneMeanwhile.add(tenant).size
    expect(await runJob(daybook, { ...late, due })).toMatchObject({ status: 'OK', failed: 0 })
  })

  test('that is told to stop before it could do what is due isn’t blind', async () => {
    const stop = new AbortController()
    const due: Job['due'] = em => {
      stop.abort()
      return Promise.resolve(em.boundScope!.kind === 'operator' ? 3 : 0)
    }
    const report = await runJob(daybook, { ...counting('told'), due }, { signal: stop.signal })
    expect(report).toEqual({ job: 'told', status: 'STOPPED', processed: 0, failed: 0 })
    expect((await runs())[0]).toMatchObject({ status: 'STOPPED', error: null })
  })

  test('passes nobody over because a dry run was stopped', async () => {
    const stop = new AbortController()
    const dry: Job = { ...counting('rehearsed'), forTenant: () => Promise.resolve(1).finally(() => stop.abort()) }
    await runJob(daybook, dry, { dryRun: true, signal: stop.signal })
    const job = counting('rehearsed')
    expect(await runJob(daybook, job)).toMatchObject({ processed: 3 })
    expect(job.seen).toEqual(tenants())
  })

  describe('of organizations that aren’t served', () => {
    const put = (tenant: string, does: (organization: Organization) => void) =>
      inTenant(tenant, async em => does(await em.findOneOrFail(Organization, tenant)))
    const [suspended, deleted] = [() => tenants()[0]!, () => tenants()[1]!]
    beforeAll(async () => {
      await put(suspended(), each => each.suspend())
      await put(deleted(), each => each.softDelete(new Date()))
    })
    afterAll(async () => {
      await put(suspended(), each => each.resume())
      await put(deleted(), each => each.restore())
    })

    test('works for none, for nobody works there', async () => {
      const job = counting('rest')
      expect(await runJob(daybook, job)).toMatchObject({ status: 'OK', processed: 1 })
      expect(job.seen).toEqual(tenants().slice(2))
    })

    test('looks after all of them where it has to', async () => {
      const job = counting('look-after', { alsoForUnserved: true })
      await runJob(daybook, job)
      expect(job.seen).toEqual(tenants())
      const always = jobs.filter(({ alsoForUnserved }) => alsoForUnserved).map(({ name }) => name)
      expect(always).toEqual(['seal', 'forget-idempotency-keys', 'retention'])
    })
  })

  test('that calls elsewhere works for some at once, so those whose calls hang hold up nobody', async () => {
    const [last] = tenants().slice(-1)
    const release = Promise.withResolvers<number>()
    const hanging: Job = {
      name: 'call',
      everyMs: 1_000,
      async outsideForTenant({ transact }) {
        const scope = await transact(em => Promise.resolve(em.boundScope!))
        if (scope.kind === 'tenant' && scope.tenantId === last) release.resolve(0)
        return release.promise
      },
    }
    expect(await runJob(daybook, hanging)).toMatchObject({ status: 'OK', failed: 0 })
  })

  test('that calls elsewhere and is stopped is gone on with behind those that are all done', async () => {
    const stop = new AbortController()
    const [first, second, third] = tenants()
    const secondIsDone = Promise.withResolvers<number>()
    const work =
      (seen: string[]): Job['outsideForTenant'] =>
      async ({ transact }) => {
        const scope = await transact(em => Promise.resolve(em.boundScope!))
        if (scope.kind !== 'tenant') return 0
        seen.push(scope.tenantId)
        if (scope.tenantId === first && !stop.signal.aborted) await secondIsDone.promise
        if (scope.tenantId === second) secondIsDone.resolve(0)
        if (scope.tenantId === third) stop.abort()
        return 0
      }
    const before: string[] = []
    await runJob(daybook, { name: 'calls', everyMs: 1_000, outsideForTenant: work(before)! }, { signal: stop.signal })
    expect(before.toSorted()).toEqual(tenants())
    const [run] = await asOperator(em => em.find(JobRun, { job: 'calls', tenantId: null }))
    expect(run!.position).toBe(third)
  })

  test('that says what is due isn’t asked in a dry run, which counts in the tenant’s own scope', async () => {
    const asked: (readonly [string, string | undefined])[] = []
    const job: Job = counting('dry', {
      due: async (em, _at, tenant) => {
        asked.push([em.boundScope!.kind, tenant])
        return 2
      },
    })
    const does = () => Promise.reject(new Error('A dry run does nothing.'))
    expect(await runJob(daybook, { ...job, forTenant: does, outsideForTenant: does }, { dryRun: true })).toMatchObject({
      status: 'OK',
      processed: 6,
    })
    expect(asked.filter(([kind]) => kind === 'operator').map(([, tenant]) => tenant)).toEqual(tenants())
    expect(asked.filter(([kind]) => kind === 'tenant').map(([, tenant]) => tenant)).toEqual([undefined, undefined, undefined])
  })

  test('that sees nothing where its tenant has rows fails in a dry run too', async () => {
    const due: Job['due'] = (_em, _at, tenant) => Promise.resolve(tenant ? 1 : 0)
    const blind: Job = { name: 'blind', everyMs: 1_000, due, forTenant: () => Promise.resolve(1) }
    expect(await runJob(daybook, blind, { dryRun: true })).toMatchObject({ status: 'FAILED', processed: 0, failed: 3 })
  })

  test('goes on where a run stood whose process ended', async () => {
    const [first, ...others] = tenants()
    await asOperator(
      async em =>
        void em.create(JobRun, { job: 'resume', startedAt: new Date(), position: first!, processed: 7, failed: 0, dryRun: false }),
    )
    // What the last one reported stands; it is closed when the next begins.
    await asOperator(em => em.nativeUpdate(JobRun, { job: 'resume' }, { status: 'RUNNING' }))
    const job = counting('resume')
    expect(await runJob(daybook, job)).toMatchObject({ status: 'OK', processed: 2 })
    expect(job.seen).toEqual(others)
    expect((await runs())[0]).toMatchObject({ status: 'FAILED', error: 'The process that ran it ended before it did.' })
    expect(await runJob(daybook, counting('resume'))).toMatchObject({ processed: 3 })
  })

  test('passes nobody over again and again because a process whose clock was ahead has stopped', async () => {
    const [first] = tenants()
    const ahead = new Date(Date.now() + 86_400_000)
    await asOperator(
      async em =>
        void em.create(JobRun, {
          job: 'ahead',
          startedAt: ahead,
          status: 'STOPPED',
          position: first!,
          processed: 1,
          failed: 0,
          dryRun: false,
        }),
    )
    expect(await runJob(daybook, counting('ahead'))).toMatchObject({ processed: 2 })
    expect(await runJob(daybook, counting('ahead'))).toMatchObject({ processed: 3 })
  })

  test('stops when it is told to, and the next run goes on', async () => {
    const stop = new AbortController()
    const first = counting('stop')
    const stopping: Job = { ...first, forTenant: (em, context) => first.forTenant!(em, context).finally(() => stop.abort()) }
    expect(await runJob(daybook, stopping, { signal: stop.signal })).toMatchObject({ processed: 1 })
    const second = counting('stop')
    expect(await runJob(daybook, second)).toMatchObject({ status: 'OK', processed: 2 })
    expect([...first.seen, ...second.seen]).toEqual(tenants())
  })

  test('is done by one at a time', async () => {
    let release = () => {}
    const held = new Promise<void>(resolve => (release = resolve))
    const slow: Job = { name: 'slow', everyMs: 1_000, forPlatform: () => held.then(() => 0) }
    const one = runJob(daybook, slow)
    // A transaction of the embedded database waits for the one before it, so it is let go at once there.
    if (daybook.embedded) setTimeout(release, 50)
    expect(await runJob(daybook, slow)).toMatchObject({ status: 'SKIPPED' })
    release()
    expect(await one).toMatchObject({ status: 'OK' })
  })

  test('tells its progress', async () => {
    const told: number[] = []
    await runJob(daybook, counting('progress'), { onProgress: ({ processed }) => told.push(processed) })
    expect(told.at(-1)).toBe(3)
  })
})

test('nobody but an operator writes a run', async () => {
  const [tenant] = tenants()
  const attempt = inTenant(
    tenant!,
    async em => void em.create(JobRun, { job: 'forged', tenantId: tenant!, startedAt: new Date(), processed: 0, failed: 0, dryRun: false }),
  )
  await expect(attempt).rejects.toMatchObject({ code: 'tenancy.row_refused' })
})

describe('the product’s own jobs', () => {
  test('make the log’s next partitions', async () => {
    const partitions = () =>
      asOperator(em =>
        em.execute<{ name: string }[]>(
          `select relid::regclass::text as name from pg_partition_tree('audit_event') where isleaf order by 1`,
        ),
      )
    const before = await partitions()
    expect(await runJob(daybook, named('prepare-audit-partitions'))).toMatchObject({ status: 'OK', processed: 0 })
    const [row] = await asOperator(em => em.execute<{ made: number }[]>('select daybook_prepare_audit_partitions(5) as made'))
    expect(row!.made).toBe(2)
    expect(await partitions()).toHaveLength(before.length + 2)
  })

  test('close invitations that nobody took, as an event of each tenant', async () => {
    const at = new Date(Date.now() + 8 * 86_400_000)
    for (const { organization, user } of registered) {
      await daybook.transact({ tenant: organization.id, actor: userActor(user.id) }, async em => {
        const role = await em.findOneOrFail(Role, { key: 'MEMBER' })
        em.create(Invitation, { email: 'late@example.com', role, tokenHash: newId(), expiresAt: new Date() })
      })
    }
    const job = named('expire-invitations')
    expect(await runJob(daybook, job, { at, dryRun: true })).toMatchObject({ status: 'OK', processed: 3 })
    expect(await runJob(daybook, job, { at })).toMatchObject({ status: 'OK', processed: 3 })
    expect(await runJob(daybook, job, { at })).toMatchObject({ status: 'OK', processed: 0 })
    const [event] = await inTenant(tenants()[0]!, async em => (await feed(em, { entity: Invitation })).items)
    expect(event).toMatchObject({ type: 'invitation.updated', actorId: 'job:expire-invitations', after: { status: 'EXPIRED' } })
  })

  test('seal what the sentinel put beside the log', async () => {
    const open = () => asOperator(em => em.execute('select from audit_personal where not is_sealed'))
    await inTenant(tenants()[0]!, em => em.execute(`update invitation set email = 'other@example.com'`))
    const before = await open()
    expect(before).not.toEqual([])
    expect(await runJob(daybook, named('seal-personal-values'), { dryRun: true })).toMatchObject({ processed: before.length })
    expect(await runJob(daybook, named('seal-personal-values'))).toMatchObject({ status: 'OK' })
    expect(await open()).toEqual([])
  })

  test('delete sessions that have expired, and no other', async () => {
    const [{ user }] = registered as [Registered]
    const session = (expires: Date) => ({ id: newId(), user: user.id, sessionToken: newId(), expires, lastSeenAt: new Date() })
    const live = session(new Date(Date.now() + 60_000))
    await asOperator(em => em.insertMany(Session, [session(new Date(0)), live]))
    const before = await asOperator(em => em.count(Session))
    expect(await runJob(daybook, named('clean-up-identity'), { dryRun: true })).toMatchObject({ processed: 1 })
    expect(await runJob(daybook, named('clean-up-identity'))).toMatchObject({ status: 'OK', processed: 1 })
    expect(await asOperator(em => em.count(Session))).toBe(before - 1)
    expect(await asOperator(em => em.count(Session, { id: live.id }))).toBe(1)
  })

  test('forget runs in which nothing was to do', async () => {
    await runJob(daybook, named('prepare-audit-partitions'))
    await runJob(daybook, counting('kept'))
    const later = (days: number) => ({ at: new Date(Date.now() + days * 86_400_000) })
    await runJob(daybook, named('forget-job-runs'), later(2))
    expect((await runs()).map(({ job }) => job)).not.toContain('prepare-audit-partitions')
    expect((await runs()).map(({ job }) => job)).toContain('kept')
    await runJob(daybook, named('forget-job-runs'), later(91))
    expect((await runs()).map(({ job }) => job)).not.toContain('kept')
  })
})

test('jobs that are started run again and again until they are stopped, and a failure stops none of them', async () => {
  const reports: JobReport[] = []
  const often = (name: string, forPlatform: Job['forPlatform']): Job => ({ name, everyMs: 20, forPlatform: forPlatform! })
  const failing = often('failing', () => Promise.reject(new Error('no')))
  const errors: unknown[] = []
  const running = startJobs(daybook, [often('fine', () => Promise.resolve(0)), failing], {
    onReport: report => reports.push(report),
    onError: error => errors.push(error),
  })
  const count = (job: string, status: string) => reports.filter(report => report.job === job && report.status === status).length
  await expect.poll(() => Math.min(count('fine', 'OK'), count('failing', 'FAILED')), { timeout: 20_000 }).toBeGreaterThan(2)
  await running[Symbol.asyncDispose]()
  const after = reports.length
  await new Promise(resolve => setTimeout(resolve, 100))
  expect(reports.length).toBe(after)
  expect(errors).toEqual([])
})
