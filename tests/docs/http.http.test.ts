import { execFile } from 'node:child_process'
import { mkdtemp, readFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { openTestHost, password, signUp } from '../http/test-host.ts'

test('the ten commands of docs/http.md do what they say', async () => {
  await using on = await openTestHost()
  await signUp(on, 'demo@example.com', 'Demo')
  await on.host.listen({ port: 0, host: 'localhost' })
  const { port } = on.host.server.address() as AddressInfo
  const page = await readFile('docs/http.md', 'utf8')
  const commands = /```sh\n(.*?)```/s.exec(page)![1]!.replaceAll('localhost:3000', `localhost:${port}`).replace('"…"', `"${password}"`)
  expect(commands.match(/\bcurl\b/g)).toHaveLength(10)
  const cwd = await mkdtemp(join(tmpdir(), 'daybook-'))
  const { stdout } = await promisify(execFile)('bash', ['-euc', commands.replaceAll('curl -s', 'curl -sS --fail-with-body -')], { cwd })
  expect(stdout).toContain('"title":"Mend the pump","status":"NEW"')
  expect(stdout).toContain('"title":"Mend both pumps"')
  expect(stdout).toContain('"status":"DONE"')
  expect(stdout).toContain('"type":"task.updated"')
  expect(stdout).toContain('{"property":"title","before":"Mend the pump","after":"Mend both pumps"}')
  expect(stdout.match(/"task\.(created|updated|deleted)"/g)!.length).toBeGreaterThanOrEqual(5)
  expect(stdout).not.toContain('urn:daybook:problem')
})
