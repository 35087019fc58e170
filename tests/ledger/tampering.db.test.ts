import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { leafColumns } from '../../src/ledger/event-leaf.ts'
import { AuditCheckpoint } from '../../src/ledger/index.ts'
import { type Ground, type Log, openGround } from './ground.ts'

let ground: Ground
beforeAll(async () => {
  ground = await openGround()
})
afterAll(() => ground.daybook.close())

/** Twelve events under three checkpoints. */
async function sealedLog(): Promise<Log> {
  const log = ground.log()
  for (const from of [0, 4, 8]) {
    await log.write(4, from)
    await log.seal()
  }
  expect(await log.verify()).toMatchObject({ size: 12, events: 12, checkpoints: 3 })
  expect((await log.verify()).problem).toBeUndefined()
  return log
}
const notesOf = ({ transact }: Log) =>
  transact(async em => (await em.find(AuditCheckpoint, {}, { orderBy: { treeSize: 'asc' } })).map(row => row.note()))

const altered: Record<(typeof leafColumns)[number], string> = {
  xact: `'1'`,
  seq: 'seq + 1000000',
  recorded_at: `recorded_at + interval '1 microsecond'`,
  id: 'gen_random_uuid()',
  tenant_id: 'gen_random_uuid()',
  entity_id: 'gen_random_uuid()',
  decision_id: 'null',
  entity_version: '2',
  schema_version: '2',
  kind: `'decision'`,
  type: `'test.forged'`,
  entity: `'other'`,
  source: `'database'`,
  actor_type: `'user'`,
  actor_id: `'somebody else'`,
  request_id: `''`,
  correlation_id: `''`,
  causation_id: `'another cause'`,
  reason: `''`,
  changed: `'{text,other}'`,
  before: `'{"text": null}'`,
  after: `'{"text":"forged"}'`,
}

describe('whoever rules the database can’t', () => {
  test.each(leafColumns)('change %s of an event', async column => {
    const log = await sealedLog()
    const [, , , , , fifth] = await log.events()
    await ground.asSuperuser(`update audit_event set ${column} = ${altered[column]} where id = '${fifth!.id}'`)
    const kind = ['seq', 'tenant_id'].includes(column) ? 'removed' : 'changed'
    const { problem } = await log.verify()
    expect(problem).toMatchObject({ kind, position: 5 })
    if (kind === 'changed') expect(problem!.seq).toBe(fifth!.seq)
  })

  test('delete an event', async () => {
    const log = await sealedLog()
    const events = await log.events()
    await ground.asSuperuser(`delete from audit_event where id in ('${events[4]!.id}', '${events[5]!.id}')`)
    expect((await log.verify()).problem).toMatchObject({ kind: 'removed', position: 4, seq: events[3]!.seq })
  })

  test('insert one among those that are sealed', async () => {
    const log = await sealedLog()
    const events = await log.events()
    const copy = `insert into audit_event (seq, tenant_id, type, source) select seq, tenant_id, 'test.forged', source from audit_event`
    await ground.asSuperuser(`${copy} where id = '${events[11]!.id}'`)
    expect((await log.verify()).problem).toMatchObject({ seq: events[11]!.seq })
    const other = await sealedLog()
    const [first] = await other.events()
    await ground.asSuperuser(`${copy.replace('select seq,', `select seq - 1,`)} where id = '${first!.id}'`)
    expect((await other.verify()).problem).toMatchObject({ kind: 'inserted', position: 0, seq: first!.seq - 1 })
  })

  test('exchange two', async () => {
    const log = await sealedLog()
    const events = await log.events()
    const [one, two] = [events[2]!, events[7]!]
    await ground.asSuperuser(
      `update audit_event set seq = case seq when ${one.seq} then ${two.seq} else ${one.seq} end where id in ('${one.id}', '${two.id}')`,
    )
    expect((await log.verify()).problem).toMatchObject({ kind: 'changed', position: 2, eventId: two.id })
  })

  test('cut off the newest', async () => {
    const log = await sealedLog()
    const events = await log.events()
    await ground.asSuperuser(`delete from audit_event where seq >= ${events[9]!.seq} and tenant_id = '${log.tenant}'`)
    expect((await log.verify()).problem).toMatchObject({ kind: 'removed', position: 9, seq: events[8]!.seq })
  })

  test('cut off the newest with their leaves and checkpoints, where a note is kept', async () => {
    const log = await sealedLog()
    const [events, notes] = [await log.events(), await notesOf(log)]
    await ground.asSuperuser(
      `delete from audit_event where seq >= ${events[8]!.seq} and tenant_id = '${log.tenant}'`,
      `delete from ledger_tile where position >= 8 and tenant_id = '${log.tenant}'`,
      `delete from audit_checkpoint where tree_size > 8 and tenant_id = '${log.tenant}'`,
    )
    // Nothing here tells of it any more: that is what notes are kept elsewhere for.
    expect((await log.verify()).problem).toBeUndefined()
    expect((await log.verify({ notes })).problem).toMatchObject({ kind: 'note', position: 8 })
    await log.write(4)
    await log.seal()
    expect((await log.verify()).problem).toBeUndefined()
    expect((await log.verify({ notes })).problem).toMatchObject({ kind: 'note', position: 12 })
  })

  test('alter a tile', async () => {
    const log = await sealedLog()
    const events = await log.events()
    await ground.asSuperuser(
      `update ledger_tile set hashes = set_byte(hashes, 40, get_byte(hashes, 40) # 1) where position = 4 and tenant_id = '${log.tenant}'`,
    )
    expect((await log.verify()).problem).toMatchObject({ kind: 'tile', position: 5, seq: events[5]!.seq })
    const other = await sealedLog()
    await ground.asSuperuser(`delete from ledger_tile where position = 4 and tenant_id = '${other.tenant}'`)
    expect((await other.verify()).problem).toMatchObject({ kind: 'tile', position: 4 })
  })

  test('alter an event and its leaf alike', async () => {
    const [log, donor] = [await sealedLog(), await sealedLog()]
    const events = await log.events()
    await ground.asSuperuser(
      `update ledger_tile t set hashes = d.hashes from ledger_tile d
         where d.tenant_id = '${donor.tenant}' and t.tenant_id = '${log.tenant}' and d.position = 4 and t.position = 4`,
      `delete from audit_event where tenant_id = '${log.tenant}' and seq between ${events[4]!.seq} and ${events[7]!.seq}`,
    )
    expect((await log.verify()).problem).toMatchObject({ position: 4 })
    // The sealer doesn't sign what it finds altered.
    await ground.asSuperuser(
      `update ledger_tile t set hashes = d.hashes from ledger_tile d
         where d.tenant_id = '${donor.tenant}' and t.tenant_id = '${log.tenant}' and d.position = 8 and t.position = 8`,
    )
    await log.write(1)
    await expect(log.seal()).rejects.toThrow(/doesn’t fit: its tiles/)
  })

  test.each([
    ['tree_size', 'tree_size + 0, root_hash = translate(root_hash, $$ABCDEFGH$$, $$BCDEFGHA$$)', 'checkpoint'],
    ['signature', 'signature, signature = translate(signature, $$abcdefgh$$, $$bcdefgha$$)', 'checkpoint'],
    ['origin', `origin, origin = 'elsewhere/' || tenant_id`, 'checkpoint'],
    ['to_seq', 'to_seq, to_seq = to_seq - 1', 'checkpoint'],
    ['from_seq', 'from_seq, from_seq = from_seq + 1', 'checkpoint'],
  ])('alter the %s of a checkpoint', async (_what, change, kind) => {
    const log = await sealedLog()
    const [column, ...rest] = change.split(', ')
    const set = rest.join(', ') || column!
    await ground.asSuperuser(`update audit_checkpoint set ${set} where tree_size = 8 and tenant_id = '${log.tenant}'`)
    expect((await log.verify()).problem).toMatchObject({ kind, position: 8 })
  })

  test('take a checkpoint away', async () => {
    const log = await sealedLog()
    await ground.asSuperuser(`delete from audit_checkpoint where tree_size = 8 and tenant_id = '${log.tenant}'`)
    expect((await log.verify()).problem).toMatchObject({ kind: 'checkpoint', position: 12 })
    const other = await sealedLog()
    await ground.asSuperuser(`delete from audit_checkpoint where tree_size = 12 and tenant_id = '${other.tenant}'`)
    expect((await other.verify()).problem).toMatchObject({ kind: 'checkpoint' })
  })

  test('put another tenant’s tree in its place', async () => {
    const [log, other] = [await sealedLog(), await sealedLog()]
    const mine = `tenant_id = '${log.tenant}'`
    await ground.asSuperuser(
      ...['audit_checkpoint', 'ledger_tile', 'audit_event'].flatMap(table => [
        `delete from ${table} where ${mine}`,
        `alter table ${table} disable trigger user`,
        `update ${table} set tenant_id = '${log.tenant}' where tenant_id = '${other.tenant}'`,
        `alter table ${table} enable always trigger append_only`,
        `alter table ${table} enable trigger user`,
      ]),
    )
    expect((await log.verify()).problem).toMatchObject({ kind: 'changed', position: 0 })
  })
})
