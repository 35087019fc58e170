import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { agentActor, userActor } from '../../src/context/index.ts'
import { configureProvider, decideAsAgent, OrchestrationAgent, Task } from '../../src/entities.ts'
import { openDocumentHost, type DocumentHost, pdf } from '../http/document-host.ts'
import { password, type SignedUp, signUp } from '../http/test-host.ts'

let opened: DocumentHost
let demo: SignedUp
let blocks: string[]
let cwd: string

beforeAll(async () => {
  opened = await openDocumentHost()
  demo = await signUp(opened.on, 'demo@example.com', 'Demo')
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

/** What any later block begins with. */
const signedIn = () => blocks[0]!.split('\n').slice(0, 3).join('\n')

test('its commands for a decision approve it, tell why, and take it back', async () => {
  const { task } = await decideInDemo()
  const { stdout } = await run(`${signedIn()}\n${blocks[1]!}`)
  expect(stdout).toContain('"status":"EXECUTED"')
  expect(stdout).toContain('{"property":"priority","before":"MEDIUM","after":"URGENT"}')
  expect(stdout).toContain('"told":{"rationale":"It is urgent."}')
  expect(stdout).toContain('{"property":"priority","before":"URGENT","after":"MEDIUM"}')
  expect(stdout).not.toContain('urn:daybook:problem')
  expect(stdout).toContain(task)
})

/** As the demo has it. */
function decideInDemo(): Promise<{ task: string }> {
  const { daybook } = opened.on
  const tenant = demo.organization
  return daybook
    .transact({ tenant, actor: userActor(demo.user) }, async em => {
      const providerConfig = await configureProvider(em, { name: 'A provider', provider: 'OPENAI', model: 'small-1' })
      const told = { name: 'Dispatcher', instructions: 'Say how urgent a task is.', tools: ['task.prioritize'] }
      return em.create(OrchestrationAgent, { ...told, providerConfig })
    })
    .then(agent =>
      daybook.transact({ tenant, actor: agentActor(agent) }, async em => {
        const subject = em.create(Task, { title: 'Refund an invoice' })
        await em.flush()
        const grounds = {
          type: 'task.dispatch',
          subject,
          subjectType: 'task',
          inputSource: 'task',
          input: {},
          reasoning: 'It was paid twice.',
        }
        const actions = [{ tool: 'task.prioritize', parameters: { task: subject.id, priority: 'URGENT' }, risk: 0.8 }]
        await decideAsAgent(em, await em.findOneOrFail(OrchestrationAgent, agent.id), { ...grounds, confidence: 0.7, actions })
        return { task: subject.id }
      }),
    )
}

test('its commands for files put one in and get it back', async () => {
  await writeFile(join(cwd, 'invoice.pdf'), pdf('Grüße'))
  await run(`${signedIn()}\n${blocks[2]!}`)
  expect((await readFile(join(cwd, 'Invoice.pdf'))).equals(pdf('Grüße'))).toBe(true)
})
