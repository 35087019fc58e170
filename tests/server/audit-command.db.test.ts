import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { registerOrganization } from '../../src/entities.ts'
import { newId } from '../../src/kernel/id.ts'
import { fileAnchor } from '../../src/ledger/index.ts'
import { auditCommand } from '../ledger/audit-command.ts'
import { type Ground, openGround } from '../ledger/ground.ts'

let directory: string
let ground: Ground
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'daybook-audit-'))
  ground = await openGround()
})
afterAll(async () => {
  await ground.daybook.close()
  await rm(directory, { recursive: true, force: true })
})

const masterKey = Buffer.alloc(32, 'daybook tests').toString('base64')
const organization = { email: `${newId()}@example.com`, password: 'a long enough one', organization: { name: 'Acme' } }

test(
  'the command verifies every log, by notes and published keys, and says by its exit code how it went',
  { timeout: 120_000 },
  async () => {
    const { daybook, database, asSuperuser } = ground
    const [one, two] = [
      await registerOrganization(daybook, organization),
      await registerOrganization(daybook, { ...organization, email: 'x@example.com' }),
    ]
    const log = ground.log(one.organization.id)
    const notes = join(directory, 'notes')
    await log.seal({ anchors: [fileAnchor(notes)] })
    await ground.log(two.organization.id).seal()
    const { app, operator } = database.urls!
    const secret = { DATABASE_URL: app, OPERATOR_URL: operator, DAYBOOK_MASTER_KEY: masterKey }
    const all = await auditCommand(secret, 'verify', '--notes', notes)
    expect(all.code).toBe(0)
    expect(all.output).toMatch(
      new RegExp(
        `${log.tenant}: \\d+ events fit up to checkpoint \\d+ \\(2 checkpoints and 1 notes\\); none waits for its seal\\. \\d+ events/s`,
      ),
    )
    expect(all.output).toContain(two.organization.id)
    const keys = await auditCommand(secret, 'keys', '--tenant', log.tenant)
    expect(keys.output).toMatch(new RegExp(`^daybook/${log.tenant}\\+[0-9a-f]{8}\\+[A-Za-z0-9+/]+=*\n$`))
    await writeFile(join(directory, 'keys'), keys.output)
    const newest = await auditCommand(secret, 'checkpoint', '--tenant', log.tenant)
    expect(newest.output).toMatch(new RegExp(`^daybook/${log.tenant}\n\\d+\n`))
    const bare = { DATABASE_URL: app }
    expect((await auditCommand(bare, 'verify', '--tenant', log.tenant, '--keys', join(directory, 'keys'))).code).toBe(0)
    const [event] = await log.events()
    await asSuperuser(`update audit_event set reason = 'forged' where id = '${event!.id}'`)
    const forged = await auditCommand(secret, 'verify', '--json')
    expect(forged.code).toBe(1)
    const lines = forged.output
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line) as { log: string; problem?: { kind: string; eventId: string } })
    expect(lines.find(line => line.log === log.tenant)!.problem).toMatchObject({ kind: 'changed', eventId: event!.id })
    expect(lines.find(line => line.log === two.organization.id)!.problem).toBeUndefined()
    for (const wrong of [
      [],
      ['verify', '--tenant', 'x'],
      ['verify', '--since-checkpoint', '4'],
      ['verify', '--dropped-before', 'once'],
      ['verify', '--notes', 'nowhere'],
    ])
      expect((await auditCommand(secret, ...wrong)).code).toBe(2)
  },
)
