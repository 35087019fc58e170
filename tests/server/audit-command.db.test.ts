import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { systemActor } from '../../src/context/index.ts'
import { AuditBooking, Invitation, Prospect, registerOrganization } from '../../src/entities.ts'
import { newId } from '../../src/kernel/id.ts'
import { fileAnchor } from '../../src/ledger/index.ts'
import { history } from '../../src/readers/index.ts'
import { createRow } from '../../src/testing/index.ts'
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

test('no log is passed over, and none that there isn’t is said to fit', { timeout: 240_000 }, async () => {
  const { daybook, database, asSuperuser } = ground
  const register = () => registerOrganization(daybook, { ...organization, email: `${newId()}@example.com` })
  const [gone, orphan, whole] = [await register(), await register(), await register()].map(made => ground.log(made.organization.id))
  const notes = join(directory, 'notes of all')
  for (const log of [gone!, orphan!, whole!]) await log.seal({ anchors: [fileAnchor(notes)] })
  const secret = { DATABASE_URL: database.urls!.app, OPERATOR_URL: database.urls!.operator, DAYBOOK_MASTER_KEY: masterKey }

  const unknown = newId()
  for (const command of ['verify', 'checkpoint', 'keys']) {
    const mistyped = await auditCommand(secret, command, '--tenant', unknown)
    expect([command, mistyped.code, mistyped.output]).toEqual([command, 2, expect.stringContaining(`There is no log ${unknown}`)])
  }
  await writeFile(join(directory, 'empty'), 'nothing that is signed\n')
  const bare = await auditCommand(secret, 'verify', '--tenant', whole!.tenant, '--notes', join(directory, 'empty'))
  expect([bare.code, bare.output]).toEqual([2, expect.stringContaining('in which there is no note')])

  // An organization that is gone, with its log and without.
  const forget = (tenant: string) => `delete from organization where id = '${tenant}'`
  const tables = ['audit_event', 'ledger_tile', 'audit_checkpoint'].map(table => `delete from ${table} where tenant_id = '${gone!.tenant}'`)
  await asSuperuser(`set session_replication_role = replica`, forget(gone!.tenant), forget(orphan!.tenant), ...tables)
  const [first] = await orphan!.events()
  await asSuperuser(`update audit_event set reason = 'forged' where id = '${first!.id}'`)
  const { code, output } = await auditCommand(secret, 'verify', '--notes', notes)
  expect(code).toBe(1)
  expect(output).toMatch(new RegExp(`${gone!.tenant}: DOESN’T FIT. A note of size \\d+ was published, and this log has 0 leaves`))
  expect(output).toMatch(new RegExp(`${orphan!.tenant}: DOESN’T FIT. Changed: event ${first!.id}`))
  expect(output).toMatch(new RegExp(`${whole!.tenant}: \\d+ events fit`))
})

test('what somebody has added to the checkpoints of one log keeps no other from being verified', { timeout: 240_000 }, async () => {
  const { daybook, database } = ground
  const register = () => registerOrganization(daybook, { ...organization, email: `${newId()}@example.com` })
  const logs = [await register(), await register()].map(made => ground.log(made.organization.id))
  for (const log of logs) await log.seal()
  const [odd, whole] = logs.toSorted((one, other) => one.tenant.localeCompare(other.tenant)) as [(typeof logs)[0], (typeof logs)[0]]
  await odd.transact(em =>
    em.execute(
      `insert into audit_checkpoint (id, tenant_id, created_at, updated_at, from_seq, to_seq, tree_size, root_hash, origin, signature)
         values (?, ?, now(), now(), 1, 9223372036854775807, 9223372036854775807, '', E'\\n', '?')`,
      [newId(), odd.tenant],
    ),
  )
  const secret = { DATABASE_URL: database.urls!.app, OPERATOR_URL: database.urls!.operator, DAYBOOK_MASTER_KEY: masterKey }
  const { code, output } = await auditCommand(secret, 'verify')
  expect(code).toBe(1)
  expect(output).toMatch(new RegExp(`${whole.tenant}: \\d+ events fit`))
  expect(output).toMatch(new RegExp(`${odd.tenant}: DOESN’T FIT. .* that no log can have`))
  await expect(odd.sealOnce()).rejects.toMatchObject({ code: 'ledger.broken' })
})

test('the command erases a person with the rows that hold their address, once somebody agrees', { timeout: 240_000 }, async () => {
  const { daybook, database } = ground
  const email = `${newId()}@example.com`
  const { organization: own, user } = await registerOrganization(daybook, { ...organization, email })
  const other = await registerOrganization(daybook, { ...organization, email: `${newId()}@example.com` })
  const metaOf = (type: new () => object) => daybook.orm.getMetadata().get(type)
  const [invited, prospect] = [
    await createRow(daybook, own.id, metaOf(Invitation), { email }),
    await createRow(daybook, other.organization.id, metaOf(Prospect), { email }),
  ]
  const booked = await createRow(daybook, own.id, metaOf(AuditBooking), { contactEmail: 'somebody@example.com' })
  const unseen = `\u200b${email}`
  const bookedUnseen = await createRow(daybook, own.id, metaOf(AuditBooking), { contactEmail: unseen })
  const { app, operator } = database.urls!
  const env = { DATABASE_URL: app, OPERATOR_URL: operator, DAYBOOK_MASTER_KEY: masterKey }
  const told = async (tenant: string, type: new () => Prospect | Invitation | AuditBooking, id: unknown) => {
    const [created] = await history(daybook.scope({ tenant, actor: systemActor('test') }), [type, id as string])
    return created!.changes.find(({ property }) => /email/i.test(property))!.after
  }
  const erase = (...args: string[]) => auditCommand(env, 'erase', ...args)

  expect((await erase('--tenant', own.id, '--person', newId(), '--yes')).code).toBe(1)
  const asked = await erase('--tenant', own.id, '--person', user.id)
  expect(asked.code).toBe(2)
  expect(asked.output).toContain(`invitation ${invited.id as string}`)
  expect(asked.output).toContain('add --yes')
  expect(asked.output).not.toContain(email)
  expect(await told(own.id, Invitation, invited.id)).toBe(email)

  expect((await erase('--tenant', own.id, '--person', user.id, '--yes')).code).toBe(0)
  expect(await told(own.id, Invitation, invited.id)).toBe('[erased]')
  expect(await told(own.id, AuditBooking, booked.id)).toBe('somebody@example.com')
  expect(await told(other.organization.id, Prospect, prospect.id)).toBe(email)

  expect(await told(own.id, AuditBooking, bookedUnseen.id)).toBe('[erased]')

  const everywhere = await erase('--email', `${email.toUpperCase()}\u2060`, '--yes')
  expect(everywhere.output).toMatch(new RegExp(`user ${user.id}[^]*prospect ${prospect.id as string}[^]*Erased: 2\\.`))
  expect(await told(other.organization.id, Prospect, prospect.id)).toBe('[erased]')
  expect((await erase('--email', email, '--yes')).code).toBe(1)
  const wrong = [['erase'], ['erase', '--person', 'x'], ['erase', '--email', 'nobody'], ['verify', '--person', user.id]]
  const refused = await Promise.all(wrong.map(args => auditCommand(env, ...args)))
  expect(refused.map(({ code }) => code)).toEqual([2, 2, 2, 2])
})
