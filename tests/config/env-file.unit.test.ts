import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readConfig } from '../../src/config.ts'

const run = promisify(execFile)
let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'daybook-env-'))
  await writeFile(join(folder, '.env'), 'DAYBOOK_REGION=Mars\nPORT=http\n')
})
afterAll(() => rm(folder, { recursive: true }))

test('.env.example has a line for each variable that is read, and for nothing else', async () => {
  const read = new Set<string>()
  readConfig(new Proxy({}, { get: (_env, name) => void read.add(String(name)) }))
  const example = await readFile('.env.example', 'utf8')
  const named = [...example.matchAll(/^#?([A-Z_]+)=/gm)].map(([, name]) => name!)
  expect(read.size).toBeGreaterThan(30)
  expect(named.toSorted()).toEqual([...read].toSorted())
})

/** What a command complains of in a folder whose `.env` holds two mistakes. */
async function complaints(args: readonly string[], env: Record<string, string> = {}): Promise<string> {
  const { stderr } = await run(process.execPath, args, { cwd: folder, env: { PATH: process.env.PATH, ...env } }).catch(
    (error: { stderr: string }) => error,
  )
  return stderr
}

const { scripts } = JSON.parse(await readFile('package.json', 'utf8')) as { scripts: Record<string, string> }

test.each([
  ['start', []],
  ['seed:volume', []],
  ['audit', ['verify']],
])('npm run %s reads the .env of its folder, and the environment comes first', async (script, more) => {
  const [node, ...args] = scripts[script]!.split(' ').map(part => (part.startsWith('src/') ? resolve(part) : part))
  expect(node).toBe('node')
  const said = await complaints([...args, ...more], { PORT: '0' })
  expect(said).toMatch(/1 problem:\s+- DAYBOOK_REGION is "Mars"/)
})

test('npm run dev reads what npm start reads', () => {
  expect(scripts.dev).toBe(scripts.start!.replace('node ', 'node --watch '))
})

test('the mikro-orm command reads the .env of its folder, and the environment comes first', async () => {
  const config = pathToFileURL(resolve('mikro-orm.config.ts')).href
  const args = ['--input-type=module', '-e', `(await import('${config}')).default()`]
  expect(await complaints(args, { PORT: '0' })).toMatch(/1 problem:\s+- DAYBOOK_REGION is "Mars"/)
})
