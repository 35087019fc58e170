import { execFile, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { urlsOf } from '../../src/testing/test-database.ts'
import { administer } from '../../src/testing/test-server.ts'

const run = promisify(execFile)
const serverUrl = inject('databases').server.serverUrl!
const name = `daybook_deployed_${randomBytes(4).toString('hex')}`
const program = `deployed-${process.pid}.ts`
const page = await readFile('docs/deploying.md', 'utf8')

beforeAll(() => administer(serverUrl, `create database ${name}`))
afterAll(async () => {
  await rm(program, { force: true })
  await administer(serverUrl, `drop database ${name} with (force)`)
})

/** Its commands, with the URLs of this test's database. */
function steps(): string {
  const { app, operator, administrator } = urlsOf(serverUrl, name)
  const commands = /## Step by step\s+```sh\n(.*?)```/s.exec(page)![1]!
  const urls: Record<string, string> = { DATABASE_URL: app, OPERATOR_URL: operator, DIRECT_URL: administrator }
  return commands
    .replaceAll(/\b([A-Z]+_URL)=\S+/g, (_found, variable: string) => `${variable}='${urls[variable]!}'`)
    .replace('DAYBOOK_MASTER_KEY=…', `DAYBOOK_MASTER_KEY=${Buffer.alloc(32, 'tests').toString('base64')}`)
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address() as AddressInfo
  await new Promise(resolve => probe.close(resolve))
  return port
}

test('where the database isn’t there, the migration says so by name, and makes nothing', { timeout: 60_000 }, async () => {
  const { app, operator, administrator } = urlsOf(serverUrl, 'daybook_nowhere')
  const urls = { DATABASE_URL: app, OPERATOR_URL: operator, DIRECT_URL: administrator }
  const env = { PATH: process.env.PATH, HOME: process.env.HOME, DAYBOOK_MASTER_KEY: Buffer.alloc(32, 'tests').toString('base64'), ...urls }
  const refused = run('npx', ['mikro-orm', 'migration:up'], { env })
  await expect(refused).rejects.toMatchObject({ stderr: expect.stringContaining('database "daybook_nowhere" does not exist') as string })
  expect(await administer(serverUrl, "select from pg_database where datname = 'daybook_nowhere'")).toEqual([])
})

test('the steps migrate an empty database, and the program then serves it, mails, and ends well', { timeout: 120_000 }, async () => {
  const commands = steps()
  expect(commands.trimEnd().endsWith('\nnpm start')).toBe(true)
  const migrate = commands.replace(/npm start\s*$/, '')
  const env = { PATH: process.env.PATH, HOME: process.env.HOME }
  expect((await run('bash', ['-euc', migrate], { env })).stdout).toContain('Successfully migrated up to the latest version')

  const mails: { to: string; subject: string }[] = []
  const mailApi = createServer(async (request, response) => {
    mails.push(JSON.parse(Buffer.concat(await request.toArray()).toString()) as (typeof mails)[number])
    response.end()
  }).listen(0, '127.0.0.1')
  await once(mailApi, 'listening')
  const [, text] = /```ts\n\/\/ server\.ts\n(.*?)```/s.exec(page)!
  await writeFile(program, text!)
  const port = await freePort()
  const settings = `export PORT=${port} MAIL_API=http://127.0.0.1:${(mailApi.address() as AddressInfo).port}`
  const exports = migrate.split('\n').filter(line => line.startsWith('export '))
  const start = [...exports, settings, `exec '${process.execPath}' --conditions=daybook-source ${program}`].join('\n')
  const host = spawn('bash', ['-euc', start], { env, stdio: ['ignore', 'inherit', 'inherit'] })
  const ended = once(host, 'exit')
  try {
    const address = `http://127.0.0.1:${port}`
    const ready = () =>
      fetch(`${address}/health/ready`).then(
        ({ status }) => status,
        () => 0,
      )
    await expect.poll(ready, { timeout: 60_000, interval: 200 }).toBe(200)
    const post = (path: string, body: object) =>
      fetch(address + path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })
    const ann = { email: 'ann@acme.example', password: 'a long and private sentence' }
    await post('/auth/sign-up', { ...ann, organization: { name: 'Acme' } })
    expect((await post('/auth/sign-in', ann)).headers.get('set-cookie')).toContain('; Secure')
    await post('/auth/forgot-password', { email: ann.email })
    await expect
      .poll(() => mails.at(-1), { timeout: 10_000 })
      .toMatchObject({ to: ann.email, subject: expect.stringMatching(/password/i) as string })
  } finally {
    host.kill('SIGTERM')
    const [code] = await ended
    mailApi.close()
    expect(code).toBe(0)
  }
})
