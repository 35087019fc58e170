import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openDocumentHost, type DocumentHost, pdf } from '../http/document-host.ts'
import { password, signUp } from '../http/test-host.ts'

let opened: DocumentHost
let blocks: string[]
let cwd: string

beforeAll(async () => {
  opened = await openDocumentHost()
  await signUp(opened.on, 'demo@example.com', 'Demo')
  await opened.on.host.listen({ port: 0, host: 'localhost' })
  const { port } = opened.on.host.server.address() as AddressInfo
  const page = (await readFile('docs/http.md', 'utf8')).replaceAll('localhost:3000', `localhost:${port}`).replace('"…"', `"${password}"`)
  blocks = [...page.matchAll(/```sh\n(.*?)```/gs)].map(([, block]) => block!)
  cwd = await mkdtemp(join(tmpdir(), 'daybook-'))
})
afterAll(async () => {
  await opened[Symbol.asyncDispose]()
  await rm(cwd, { recursive: true })
})

const run = (commands: string) =>
  promisify(execFile)('bash', ['-euc', commands.replaceAll('curl -s', 'curl -sS --fail-with-body -')], { cwd })

test('the ten commands of docs/http.md do what they say', async () => {
  expect(blocks[0]!.match(/\bcurl\b/g)).toHaveLength(10)
  const { stdout } = await run(blocks[0]!)
  expect(stdout).toContain('"title":"Mend the pump","status":"NEW"')
  expect(stdout).toContain('"title":"Mend both pumps"')
  expect(stdout).toContain('"status":"DONE"')
  expect(stdout).toContain('"type":"task.updated"')
  expect(stdout).toContain('{"property":"title","before":"Mend the pump","after":"Mend both pumps"}')
  expect(stdout.match(/"task\.(created|updated|deleted)"/g)!.length).toBeGreaterThanOrEqual(5)
  expect(stdout).not.toContain('urn:daybook:problem')
})

test('its commands for files put one in and get it back', async () => {
  await writeFile(join(cwd, 'invoice.pdf'), pdf('Grüße'))
  const [names, signIn] = [blocks[0]!.split('\n').slice(0, 2), blocks[0]!.split('\n')[2]!]
  await run([...names, signIn, blocks[1]!].join('\n'))
  expect((await readFile(join(cwd, 'Invoice.pdf'))).equals(pdf('Grüße'))).toBe(true)
})
