import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { demoOrganizations } from '../../seeders/demo-data.ts'
import { insecurePasswords, onePassword } from '../../seeders/demo-passwords.ts'
import { type SeededDemo, seedDemo } from '../../seeders/seed-demo.ts'
import { replayProblems } from '../../src/readers/index.ts'
import { userActor } from '../../src/context/index.ts'
import {
  AgentDecision,
  taskTools,
  AIInsight,
  authenticateApiKey,
  Campaign,
  ContentEntry,
  inLocale,
  Membership,
  Organization,
  organizationsOf,
  Project,
  Prospect,
  QuotaCounter,
  SeedRun,
  signIn,
  Subscription,
  Task,
  User,
  verifyAttestations,
  WorkflowTrigger,
} from '../../src/entities.ts'
import { type Daybook, declarationOf, type ScopedEntityManager } from '../../src/orm/index.ts'
import { openTestDaybook, tenantEntities } from '../../src/testing/index.ts'

const password = 'the password of the demo'
const passwords = onePassword(password)

let daybook: Daybook
let first: SeededDemo
let asMade: string
const lines: string[] = []

beforeAll(async () => {
  daybook = await openTestDaybook()
  first = await seedDemo(daybook, { passwords, print: line => lines.push(line) })
  asMade = await snapshot()
})
afterAll(() => daybook.close())

/** What the demo consists of besides the two organizations and their five people. */
const rows: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  'demo-org': {
    'system-setting': 2,
    subscription: 1,
    'billing-event': 1,
    'usage-event': 2,
    'quota-counter': 2,
    'api-key': 1,
    task: 6,
    'intake-request': 1,
    'ai-provider-config': 1,
    'orchestration-agent': 1,
    'agent-decision': 1,
    'approval-item': 1,
    automation: 1,
    'workflow-trigger': 1,
    'scheduling-event': 2,
    'event-reminder': 1,
    project: 2,
    'error-signature': 5,
    'fix-attestation': 3,
    'audit-result': 1,
    'audit-issue': 8,
    'marketplace-item': 3,
    'booking-slot': 1,
    'content-entry': 4,
    'ideal-customer-profile': 1,
    prospect: 5,
    'ai-insight': 2,
    'email-sequence': 2,
    'sequence-step': 5,
    campaign: 1,
    'campaign-enrollment': 3,
    message: 4,
  },
  'enterprise-corp': {
    'system-setting': 1,
    subscription: 1,
    'billing-event': 1,
    'usage-event': 1,
    'quota-counter': 1,
    task: 1,
    'scheduling-event': 1,
    project: 1,
  },
}

const total = 7 + Object.values(rows).reduce((sum, of) => sum + Object.values(of).reduce((all, count) => all + count, 0), 0)

async function inOrganization<T>(slug: string, does: (em: ScopedEntityManager) => Promise<T>, whose = daybook): Promise<T> {
  const demo = demoOrganizations.find(one => one.slug === slug)!
  const signedIn = await signIn(whose, { email: demo.owner.email, password })
  const [organization] = await organizationsOf(whose, signedIn!.user.id)
  return whose.transact({ tenant: organization!, actor: userActor(signedIn!.user) }, does)
}

/** Every row of both tenants as it is stored, without what is random because it is secret. */
async function snapshot(whose = daybook): Promise<string> {
  const all: unknown[] = []
  for (const { slug } of demoOrganizations) {
    await inOrganization(
      slug,
      async em => {
        all.push(await em.find(Organization, {}))
        all.push(await em.find(User, {}, { orderBy: { id: 'asc' }, fields: ['id', 'email', 'name', 'locale', 'createdAt'] }))
        for (const meta of tenantEntities(whose)) {
          const { audit } = declarationOf(meta.class)!
          const secret = [...((audit && (audit.secret as string[] | undefined)) || []), ...(meta.className === 'ApiKey' ? ['prefix'] : [])]
          const columns = secret
            .map(name => meta.properties[name as never] as { fieldNames: string[] })
            .flatMap(({ fieldNames }) => fieldNames)
          const of = `select to_jsonb(t) - ?::text[] as row from "${meta.tableName}" t order by id`
          all.push(await em.execute(of, [`{${columns.join(',')}}`]))
        }
      },
      whose,
    )
  }
  return JSON.stringify(all)
}

/** All of both would be too much to read. */
function firstDifference(a: string, b: string): string | undefined {
  if (a === b) return undefined
  const at = a.split('').findIndex((character, index) => character !== b[index])
  return `${a.slice(Math.max(0, at - 200), at + 50)} and not ${b.slice(at, at + 50)}`
}

test('says what it has made, with exact counts', () => {
  const told = (slug: string, outcome: string) =>
    lines.flatMap(line => {
      const [, count, entity] = new RegExp(`^  ${outcome} +(\\d+) (.+) of ${slug}$`).exec(line) ?? []
      return entity ? [[entity, Number(count)] as const] : []
    })
  for (const [slug, of] of Object.entries(rows)) {
    const sums = new Map<string, number>()
    for (const [entity, count] of told(slug, 'created')) sums.set(entity, (sums.get(entity) ?? 0) + count)
    expect(Object.fromEntries(sums)).toEqual(of)
  }
  expect(first.report.counts).toEqual({ created: total, kept: 0, skipped: 0 })
})

test('what it says is what is there', async () => {
  for (const [slug, of] of Object.entries(rows)) {
    await inOrganization(slug, async em => {
      for (const meta of tenantEntities(daybook)) {
        const name = meta.className.replaceAll(/(?<=[a-z0-9])[A-Z]|(?<=[A-Z])[A-Z](?=[a-z])/g, '-$&').toLowerCase()
        if (name in of) expect([name, await em.count(meta.class, {})]).toEqual([name, of[name]])
      }
    })
  }
})

describe('the demo', () => {
  test('has fixes in a chain that verifies', async () => {
    const report = await inOrganization('demo-org', async em =>
      verifyAttestations(em, await em.findOneOrFail(Project, { slug: 'web-app' })),
    )
    expect(report).toEqual({ length: 3 })
  })

  test('has two active subscriptions whose use is counted', async () => {
    for (const [slug, metrics] of [
      ['demo-org', ['API_CALLS', 'AUDITS']],
      ['enterprise-corp', ['ANALYSES']],
    ] as const) {
      await inOrganization(slug, async em => {
        expect(await em.find(Subscription, {})).toMatchObject([{ status: 'ACTIVE' }])
        const counters = await em.find(QuotaCounter, {}, { orderBy: { metric: 'asc' } })
        expect(counters.map(({ metric, used }) => [metric, used])).toEqual(metrics.map(metric => [metric, 1]))
      })
    }
  })

  test('has a key for a program that opens what it names, told once', async () => {
    const key = first.secrets.get('API key Demo program (test)')!
    expect(key).toMatch(/^dbk_test_/)
    expect((await authenticateApiKey(daybook, key))?.apiKey.scopes).toEqual(expect.arrayContaining(['project:read', 'usage-day:read']))
  })

  test('has scores that explain themselves, a campaign that was answered, and insights that wait', async () => {
    await inOrganization('demo-org', async em => {
      for (const { score, scoreBreakdown } of await em.find(Prospect, {}))
        expect(scoreBreakdown.reduce((sum, { points }) => sum + points, 0)).toBe(score)
      const [campaign] = await em.find(Campaign, {})
      expect(campaign).toMatchObject({ status: 'PAUSED', stats: { enrolled: 3, sent: 3, delivered: 3, replied: 1, stopped: 1 } })
      expect(await em.count(AIInsight, { status: 'NEW' })).toBe(2)
    })
  })

  test('has tasks in stages, and an agent’s decision that waits for a person', async () => {
    await inOrganization('demo-org', async em => {
      const tasks = await em.find(Task, {}, { populate: ['stage', 'pipeline'] })
      const places = tasks.map(({ pipeline, stage }) => `${pipeline?.getEntity().key} ${stage?.getEntity().key}`)
      expect(places.toSorted()).toEqual([
        'billing review',
        'internal done',
        'sales new',
        'sales new',
        'sales qualified',
        'support in-progress',
      ])
      const [decision] = await em.find(AgentDecision, {})
      expect(decision).toMatchObject({ status: 'REQUIRES_APPROVAL' })
      // Whoever tries it approves it on a host without tools of its own.
      for (const { tool, parameters } of decision!.actions) await taskTools[tool]!(em, parameters, decision!)
      expect(await em.find(WorkflowTrigger, {})).toMatchObject([{ type: 'SCHEDULE', isActive: true }])
    })
  })

  test('speaks English and French', async () => {
    await inOrganization('demo-org', async em => {
      expect((await inLocale(em, 'page', 'about', 'fr-CA'))?.title).toBe('Qui nous sommes')
      expect((await inLocale(em, 'page', 'about', 'en-GB'))?.title).toBe('Who we are')
    })
  })

  test('is told by the log as it is', async () => {
    for (const { slug } of demoOrganizations) {
      const problems = await inOrganization(slug, em => replayProblems(em))
      // The other people tell of themselves in logs of their own.
      expect(problems.filter(({ table }) => table !== 'app_user')).toEqual([])
    }
  })
})

test('seeding again changes nothing and says so', async () => {
  const before = await snapshot()
  const second = await seedDemo(daybook, { passwords, print: () => {} })
  expect(second.report.counts).toEqual({ created: 0, kept: total, skipped: 0 })
  expect(second.report.summary()).toContain('nothing has changed')
  expect(second.secrets.size).toBe(0)
  expect(firstDifference(await snapshot(), before)).toBeUndefined()
})

test('each run is recorded, with the checksum of what it writes from', async () => {
  const em = daybook.scope({ kind: 'identity', actor: userActor(crypto.randomUUID()) })
  const runs = await em.find(SeedRun, {}, { orderBy: { ranAt: 'asc' } })
  expect(runs.map(({ seeder, mode, rows: count }) => [seeder, mode, count])).toEqual([
    ['demo', 'demo', total],
    ['demo', 'demo', 0],
  ])
  expect(new Set(runs.map(({ checksum }) => checksum)).size).toBe(1)
  expect(runs[0]!.checksum).toMatch(/^[0-9a-f]{64}$/)
})

test('another database gets the same rows, ids and times included', async () => {
  await using other = await openTestDaybook()
  await seedDemo(other, { passwords, print: () => {} })
  expect(firstDifference(await snapshot(other), asMade)).toBeUndefined()
})

test('the two organizations do not see each other', async () => {
  const other = await inOrganization('enterprise-corp', em => em.findOneOrFail(Organization, { slug: 'enterprise-corp' }))
  await inOrganization('demo-org', async em => {
    expect(await em.count(User, {})).toBe(3)
    expect(await em.count(Membership, {})).toBe(3)
    expect(await em.findOne(Organization, other.id)).toBeNull()
  })
})

describe('what people do to the demo stays done', () => {
  test('a thing that was renamed or deleted is kept so, and one that is gone is made again', async () => {
    await using own = await openTestDaybook()
    await seedDemo(own, { passwords, print: () => {} })
    await inOrganization(
      'demo-org',
      async em => {
        ;(await em.findOneOrFail(Project, { slug: 'api-backend' })).slug = 'backend'
        ;(await em.findOneOrFail(Prospect, { email: 'info@lumen.example' })).softDelete(new Date())
        await em.nativeDelete(ContentEntry, { slug: 'about', locale: 'fr' })
      },
      own,
    )
    const again = await seedDemo(own, { passwords, print: () => {} })
    expect(again.report.counts).toEqual({ created: 1, kept: total - 1, skipped: 0 })
    await inOrganization(
      'demo-org',
      async em => {
        expect((await em.find(Project, {})).map(({ slug }) => slug).toSorted()).toEqual(['backend', 'web-app'])
        expect(await em.count(Prospect, {})).toBe(4)
        expect(await em.count(ContentEntry, {})).toBe(4)
      },
      own,
    )
  })

  test('an area that can no longer be made is skipped with its reason, and the others are made', async () => {
    await using own = await openTestDaybook()
    await seedDemo(own, { passwords, print: () => {} })
    await inOrganization(
      'demo-org',
      async em => {
        await em.execute(`delete from agent_decision`)
        await em.execute(`update task set title = 'Another' where title like 'Refund%'`)
      },
      own,
    )
    const told: string[] = []
    const again = await seedDemo(own, { passwords, print: line => told.push(line) })
    expect(again.report.counts).toMatchObject({ created: 0, skipped: 1 })
    expect(told.find(line => line.includes('skipped'))).toMatch(/skipped agents of demo-org: Task not found/)
  })
})

test('the passwords that everybody knows are had by asking for them alone', async () => {
  await using own = await openTestDaybook()
  const { secrets } = await seedDemo(own, { passwords: insecurePasswords, print: () => {} })
  expect([...secrets.keys()].filter(what => what.includes('password'))).toEqual([])
  expect(await signIn(own, { email: 'demo@example.com', password: 'Demo123!' })).toMatchObject({ user: { email: 'demo@example.com' } })
  expect(await signIn(own, { email: 'admin@example.com', password: 'Admin123!' })).toMatchObject({ user: { email: 'admin@example.com' } })
  expect(await signIn(own, { email: 'vera@example.com', password: 'Demo123!' })).toMatchObject({ user: { email: 'vera@example.com' } })
  expect(await signIn(daybook, { email: 'demo@example.com', password: 'Demo123!' })).toBeUndefined()
})

test('what belongs in another region is left out, and said', async () => {
  await using european = await openTestDaybook({ region: 'EU' })
  const told: string[] = []
  const { report } = await seedDemo(european, { print: line => told.push(line) })
  expect(report.counts).toMatchObject({ kept: 0, skipped: 1 })
  expect(told.filter(line => line.includes('enterprise-corp'))).toEqual([expect.stringContaining('its data is kept in US')])
})
