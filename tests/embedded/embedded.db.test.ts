import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { userActor } from '../../src/context/index.ts'
import { Role } from '../../src/entities.ts'
import { newId } from '../../src/kernel/id.ts'
import { openDaybook } from '../../src/open-daybook.ts'
import { type Daybook, openEmbeddedDatabase } from '../../src/orm/index.ts'
import { openTestDaybook } from '../../src/testing/index.ts'

let daybook: Daybook
let directory: string
const scope = { tenant: newId(), actor: userActor(newId()) }

beforeAll(async () => {
  daybook = await openTestDaybook()
  directory = await mkdtemp(join(tmpdir(), 'daybook-embedded-'))
})
afterAll(async () => {
  await daybook.close()
  await rm(directory, { recursive: true, force: true })
})

test('the application really runs as its role', async () => {
  const [row] = await daybook.orm.driver.getConnection().execute(`select current_user as role`)
  expect(row).toEqual({ role: 'daybook_app' })
})

test('a second EntityManager inside an open transaction gets a clear error within five seconds', async () => {
  const started = performance.now()
  const attempt = daybook.transact(scope, async () => daybook.scope(scope).count(Role))
  await expect(attempt).rejects.toMatchObject({
    code: 'database.embedded_busy',
    message: expect.stringContaining('pass the transaction’s own EntityManager on'),
  })
  expect(performance.now() - started).toBeLessThan(5_000)
  expect(await daybook.scope(scope).count(Role)).toBe(0)
})

test('transactions in parallel take turns', async () => {
  const parallel = Array.from({ length: 25 }, (_, index) =>
    daybook.transact(scope, async em => {
      em.create(Role, { key: `R${index}`, name: 'R' })
      await em.flush()
      return em.count(Role)
    }),
  )
  expect((await Promise.all(parallel)).toSorted((a, b) => a - b)).toEqual(Array.from({ length: 25 }, (_, index) => index + 1))
})

test('isolation levels are kept', async () => {
  const level = await daybook.transact(scope, async em => em.execute('show transaction_isolation'), { isolation: 'serializable' as never })
  expect(level).toEqual([{ transaction_isolation: 'serializable' }])
})

test('what has been closed by hand can be closed again, as `await using` does', async () => {
  await using opened = await openTestDaybook()
  await opened.close()
})

test('what was written is there after closing and opening again', { timeout: 60_000 }, async () => {
  const options = { dataDirectory: join(directory, 'kept'), logQueries: false }
  const first = await openDaybook(options)
  await first.transact(scope, async em => void em.create(Role, { key: 'KEPT', name: 'Kept' }))
  await first.close()
  const second = await openDaybook(options)
  expect(await second.scope(scope).count(Role, { key: 'KEPT' })).toBe(1)
  await second.close()
})

test('a folder that another process has open is refused, with its pid', async () => {
  const busy = join(directory, 'busy')
  const script = `import('./src/orm/index.ts').then(async m => { await m.openEmbeddedDatabase({ directory: ${JSON.stringify(busy)} }); console.log('open'); setInterval(() => {}, 1000) })`
  const other = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  try {
    await new Promise(resolve => other.stdout.once('data', resolve))
    await expect(openEmbeddedDatabase({ directory: busy })).rejects.toMatchObject({
      code: 'database.embedded_in_use',
      details: { pid: other.pid },
    })
  } finally {
    other.kill('SIGKILL')
  }
  await new Promise(resolve => other.once('exit', resolve))
  // Its owner was killed before it could unlock.
  const again = await openEmbeddedDatabase({ directory: busy })
  await again.close()
})
