import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { systemActor } from '../../src/context/index.ts'
import { registerOrganization } from '../../src/entities.ts'
import { jobsWith, runJob } from '../../src/jobs/index.ts'
import { newId } from '../../src/kernel/id.ts'
import { AuditCheckpoint, headOf, sealLog } from '../../src/ledger/index.ts'
import { openDaybook } from '../../src/open-daybook.ts'
import type { Daybook } from '../../src/orm/index.ts'
import { type Ground, type Log, openGround } from '../ledger/ground.ts'

let ground: Ground
/** Another process, as far as the database can tell. */
let other: Daybook
beforeAll(async () => {
  ground = await openGround({ poolMax: 20 })
  const { app, operator } = ground.database.urls!
  const masterKeys = [Buffer.alloc(32, 'daybook tests').toString('base64')]
  other = await openDaybook({ databaseUrl: app, operatorUrl: operator, masterKeys, logQueries: false, environment: 'test' })
})
afterAll(async () => {
  await other.close()
  await ground.daybook.close()
})

async function expectWhole(log: Log, events: number): Promise<void> {
  const found = await log.verify()
  expect(found.problem).toBeUndefined()
  expect(found).toMatchObject({ size: events, events, unsealed: 0 })
}

test('an event that commits late is sealed in its place, and what comes behind it waits', async () => {
  const log = ground.log()
  const slow = new pg.Client({ connectionString: ground.database.urls!.app })
  await slow.connect()
  await slow.query(`begin; select set_config('daybook.tenant_id', '${log.tenant}', true)`)
  const append = `select daybook_append('[{"t":"${log.tenant}","y":"test.late"}]')`
  await slow.query(append)
  await log.write(3)
  expect(await log.sealOnce()).toBe(0)
  expect(await log.verify()).toMatchObject({ size: 0, unsealed: 3 })
  await slow.query('commit')
  expect(await log.seal()).toBe(4)
  await slow.query(`begin; select set_config('daybook.tenant_id', '${log.tenant}', true)`)
  await slow.query(append)
  await log.write(2)
  expect(await log.sealOnce()).toBe(0)
  // The mark that waits for this one waits for no later one.
  await slow.query('rollback')
  expect(await log.seal()).toBe(2)
  await expectWhole(log, 6)
  await slow.end()
})

test(
  'eight writers, two processes that run the job and two more that seal by hand: each event once, in its place',
  { timeout: 120_000 },
  async () => {
    const { organization } = await registerOrganization(ground.daybook, {
      email: `${newId()}@example.com`,
      password: 'a long enough one',
      organization: { name: 'Acme' },
    })
    const log = ground.log(organization.id)
    const writing = new AbortController()
    const writer = async () => {
      for (let turn = 0; turn < 40; turn++) {
        const work = log.transact(async em => {
          for (let step = 0; step <= Math.random() * 3; step++) {
            await em.execute(`select daybook_append(?)`, [JSON.stringify([{ t: log.tenant, y: 'test.written', a: { turn, step } }])])
            await sleep(Math.random() * 6)
          }
          if (Math.random() < 0.2) throw new Error('gives up')
        })
        await work.catch(() => undefined)
      }
    }
    const seal = jobsWith().find(({ name }) => name === 'seal')!
    const statuses: string[] = []
    const runs = async (daybook: Daybook) => {
      while (!writing.signal.aborted) {
        const { status, failed, error } = await runJob(daybook, seal)
        statuses.push(status)
        expect([failed, error]).toEqual([0, undefined])
      }
    }
    const byHand = async (daybook: Daybook) => {
      while (!writing.signal.aborted)
        await sealLog(work => daybook.transact({ tenant: log.tenant, actor: systemActor('hand') }, work), {
          installation: daybook.installation,
          batch: 7,
        })
    }
    const sealing = Promise.all([runs(ground.daybook), runs(other), byHand(ground.daybook), byHand(other)])
    await Promise.all(Array.from({ length: 8 }, writer))
    writing.abort()
    await sealing
    await log.seal()
    expect(statuses).toContain('OK')
    expect(statuses).toContain('SKIPPED')
    const events = await log.events()
    expect(events.length).toBeGreaterThan(400)
    await expectWhole(log, events.length)
    const checkpoints = await log.transact(em => em.find(AuditCheckpoint, {}, { orderBy: { treeSize: 'asc' } }))
    expect(checkpoints.length).toBeGreaterThan(2)
  },
)

test('a sealer that is killed in the middle leaves a tree that the next one goes on with', { timeout: 120_000 }, async () => {
  const log = ground.log()
  await log.write(5_000)
  let size = 0
  for (let crash = 0; crash < 4; crash++) {
    const sealer = fork(join(import.meta.dirname, 'seal-until-killed.ts'), [ground.database.urls!.app, log.tenant], { stdio: 'inherit' })
    await once(sealer, 'message')
    // How soon something has settled depends on what else the server does.
    const isMoving = async () => ((await log.transact(headOf))?.treeSize ?? 0) > size
    while (!(await isMoving())) await sleep(5)
    await sleep(Math.random() * 100)
    sealer.kill('SIGKILL')
    await once(sealer, 'exit')
    const found = await log.verify()
    expect(found.problem).toBeUndefined()
    expect(found.size).toBeGreaterThan(size)
    size = found.size
  }
  await log.seal()
  await expectWhole(log, 5_000)
})
