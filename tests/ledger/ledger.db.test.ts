import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { erasePerson } from '../../src/audit/index.ts'
import { JobRun, registerOrganization } from '../../src/entities.ts'
import { jobs, runJob } from '../../src/jobs/index.ts'
import { newId } from '../../src/kernel/id.ts'
import {
  AuditCheckpoint,
  consistencyProof,
  countUnsealed,
  fileAnchor,
  inclusionProof,
  leafHash,
  notesIn,
  openCheckpoint,
  verifierKey,
  parseVerifierKey,
  verifiersOf,
  verifyConsistency,
  verifyInclusion,
} from '../../src/ledger/index.ts'
import { type Ground, type Log, openGround } from './ground.ts'

let ground: Ground
let directory: string
beforeAll(async () => {
  ground = await openGround({ installation: 'here.example' })
  directory = await mkdtemp(join(tmpdir(), 'daybook-ledger-'))
})
afterAll(async () => {
  await ground.daybook.close()
  await rm(directory, { recursive: true, force: true })
})

const unbase64 = (text: string) => Buffer.from(text, 'base64')
const checkpointsOf = ({ transact }: Log) =>
  transact(em => em.find(AuditCheckpoint, {}, { orderBy: { treeSize: 'asc', anchoredAt: 'asc' } }))

/** What somebody does who has the published key, a proof, and no database. */
async function isProved(log: Log, eventId: string): Promise<boolean> {
  const proof = await log.transact(em => inclusionProof(em, eventId))
  const [, origin] = /^(\S+)\n/.exec(proof.checkpoint)!
  const published = (await log.transact(em => verifiersOf(em, origin!))).map(verifierKey)
  const checkpoint = openCheckpoint(proof.checkpoint, published.map(parseVerifierKey))
  if (!checkpoint) return false
  const { leaf, index, path } = proof
  return verifyInclusion({
    leafHash: leafHash(Buffer.from(leaf)),
    index,
    size: checkpoint.size,
    root: checkpoint.root,
    path: path.map(unbase64),
  })
}

describe('proofs', () => {
  test('hold for each event, in trees of many shapes', { timeout: 120_000 }, async () => {
    const log = ground.log()
    for (const count of [1, 1, 3, 250, 2, 300]) {
      await log.write(count)
      expect(await log.seal({ batch: 200 })).toBe(count)
    }
    const events = await log.events()
    for (const place of [0, 1, 4, 5, 254, 255, 256, 257, 300, 511, 512, 556]) expect(await isProved(log, events[place]!.id)).toBe(true)
    expect(await log.verify()).toMatchObject({ size: 557, events: 557, unsealed: 0 })
    expect((await log.verify()).problem).toBeUndefined()
    for (const [earlier, size] of [
      [1, 557],
      [5, 255],
      [205, 557],
      [257, 457],
      [557, 557],
    ] as const) {
      const proof = await log.transact(em => consistencyProof(em, earlier, size))
      const [earlierRoot, root, path] = [unbase64(proof.earlierRoot), unbase64(proof.root), proof.path.map(unbase64)]
      expect(verifyConsistency({ earlier, earlierRoot, size, root, path })).toBe(true)
    }
    await expect(log.transact(em => consistencyProof(em, 5, 558))).rejects.toThrow(/has the size 558/)
    await expect(log.transact(em => consistencyProof(em, 5, 2))).rejects.toThrow(/the smaller first/)
  })

  test('say when there is nothing to prove yet, and of events of others nothing', async () => {
    const [log, other] = [ground.log(), ground.log()]
    await log.write(1)
    const [event] = await log.events()
    await expect(log.transact(em => inclusionProof(em, event!.id))).rejects.toThrow(/isn’t sealed yet/)
    await log.seal()
    expect(await isProved(log, event!.id)).toBe(true)
    await expect(other.transact(em => inclusionProof(em, event!.id))).rejects.toThrow(/There is no event/)
    expect(await checkpointsOf(other)).toEqual([])
    const tiles = await other.transact(em => em.execute('select * from ledger_tile'))
    expect(tiles).toEqual([])
  })

  test('hold on when the person is erased of whom an event tells', async () => {
    const { organization, user } = await registerOrganization(ground.daybook, {
      email: `${newId()}@example.com`,
      password: 'a long enough one',
      organization: { name: 'Acme' },
    })
    const log = ground.log(organization.id)
    await log.seal()
    const before = await log.events()
    await log.transact(em => erasePerson(em, user.id))
    for (const { id } of before) expect(await isProved(log, id)).toBe(true)
    await log.seal()
    expect((await log.verify()).problem).toBeUndefined()
  })
})

test('the leaf is what psql makes of an event as well', async () => {
  const log = ground.log()
  await log.write(3)
  await log.seal()
  const doc = await readFile('docs/ledger.md', 'utf8')
  const [, sql] = /```sql\n(select[^`]+)```/.exec(doc)!
  const rows = await log.transact(async em => {
    const [event] = await em.execute<{ id: string }[]>('select id from audit_event where tenant_id = ? order by seq limit 1', [log.tenant])
    return {
      event: event!,
      found: await em.execute<{ leaf_hash: string }[]>(sql!.replace(':event', `'${event!.id}'`).replace(/;\s*$/, '')),
    }
  })
  const { leaf } = await log.transact(em => inclusionProof(em, rows.event.id))
  expect(rows.found).toEqual([{ leaf_hash: leafHash(Buffer.from(leaf)).toString('hex') }])
})

describe('sealing', () => {
  test('is a job: each tenant’s log, once, with a record of it', async () => {
    const { organization } = await registerOrganization(ground.daybook, {
      email: `${newId()}@example.com`,
      password: 'a long enough one',
      organization: { name: 'Acme' },
    })
    const log = ground.log(organization.id)
    const seal = jobs.find(({ name }) => name === 'seal')!
    const waiting = (await log.events()).length
    const dry = await runJob(ground.daybook, seal, { dryRun: true })
    expect(dry.processed).toBeGreaterThanOrEqual(waiting)
    expect(await checkpointsOf(log)).toEqual([])
    const run = async (isDone: () => Promise<boolean>) => {
      do expect(await runJob(ground.daybook, seal)).toMatchObject({ status: 'OK', failed: 0 })
      while (!(await isDone()))
    }
    const isSealed = async () => (await log.transact(countUnsealed)) === 0
    await run(isSealed)
    const [checkpoint] = await checkpointsOf(log)
    expect(checkpoint).toMatchObject({ treeSize: waiting, origin: `here.example/${organization.id}`, anchoredAt: null })
    expect(await log.transact(em => em.find(JobRun, { job: 'seal', dryRun: false }))).toMatchObject([{ status: 'OK', processed: waiting }])
    // Sealing tells the log nothing, or it would never end.
    expect(await log.events()).toHaveLength(waiting)
    await ground.asSuperuser(`update organization set status = 'CLOSED' where id = '${organization.id}'`)
    expect(await isSealed()).toBe(false)
    await run(isSealed)
    expect((await log.verify()).problem).toBeUndefined()
  })

  test('refuses to grow a tree that was tampered with', async () => {
    const log = ground.log()
    await log.write(4)
    await log.seal()
    await ground.asSuperuser(
      `update ledger_tile set hashes = set_byte(hashes, 0, get_byte(hashes, 0) # 1) where tenant_id = '${log.tenant}'`,
    )
    await log.write(1)
    await expect(log.seal()).rejects.toThrow(/audit -- verify --tenant/)
  })

  test('is for the application to add to alone', async () => {
    const log = ground.log()
    await log.write(1)
    await log.seal()
    for (const statement of [
      `update ledger_tile set level = 9`,
      `delete from ledger_tile`,
      `update audit_checkpoint set tree_size = 9`,
      `delete from audit_checkpoint`,
    ])
      await expect(log.transact(em => em.execute(statement))).rejects.toThrow(/permission denied|only ever added/)
  })

  test('names its installation in a way that a note can say', async () => {
    const log = ground.log()
    await log.write(1)
    await expect(log.seal({ installation: 'not a name' })).rejects.toThrow(/can’t name an installation/)
  })
})

describe('anchoring', () => {
  test('publishes the newest checkpoint, once, and says where in a row of its own', async () => {
    const [log, file] = [ground.log(), join(directory, 'notes')]
    const anchors = [fileAnchor(file)]
    await log.write(2)
    await log.seal({ anchors })
    await log.write(2)
    await log.seal({ anchors, batch: 1 })
    await log.seal({ anchors })
    const notes = notesIn(await readFile(file, 'utf8'))
    expect(notes.map(note => note.split('\n')[1])).toEqual(['2', '4'])
    const rows = await checkpointsOf(log)
    expect(rows.map(({ treeSize, anchorTarget }) => [treeSize, anchorTarget])).toEqual([
      [2, `file:${file}`],
      [2, null],
      [3, null],
      [4, `file:${file}`],
      [4, null],
    ])
    expect(rows[0]!.anchoredAt).toBeInstanceOf(Date)
    expect(await log.verify({ notes })).toMatchObject({ notes: 2, checkpoints: 5 })
  })

  test('that fails is tried again, and what is sealed stays sealed', async () => {
    const log = ground.log()
    let failures = 1
    const anchors = [{ target: 'elsewhere', publish: () => (failures-- > 0 ? Promise.reject(new Error('away')) : Promise.resolve()) }]
    await log.write(2)
    await expect(log.seal({ anchors })).rejects.toThrow('away')
    expect(await checkpointsOf(log)).toHaveLength(1)
    await log.seal({ anchors })
    expect(await checkpointsOf(log)).toHaveLength(2)
  })
})

describe('verification', () => {
  test('begins at a checkpoint when it is told to', async () => {
    const log = ground.log()
    for (let turn = 0; turn < 3; turn++) {
      await log.write(200)
      await log.seal()
    }
    const [old] = await log.events()
    expect(await log.verify({ since: 200 })).toMatchObject({ size: 600, events: 400, checkpoints: 3 })
    await ground.asSuperuser(`update audit_event set reason = 'forged' where id = '${old!.id}'`)
    expect((await log.verify({ since: 200 })).problem).toBeUndefined()
    expect((await log.verify()).problem).toMatchObject({ kind: 'changed', position: 0 })
    await expect(log.verify({ since: 201 })).rejects.toThrow(/has the size 201/)
  })

  test('takes published keys alone, when it is given some', async () => {
    const log = ground.log()
    await log.write(2)
    await log.seal()
    const verifiers = await log.transact(em => verifiersOf(em, `here.example/${log.tenant}`))
    expect((await log.verify({ verifiers })).problem).toBeUndefined()
    const wrong = verifiers.map(verifier => ({ ...verifier, publicKey: Buffer.alloc(32, 3) }))
    expect((await log.verify({ verifiers: wrong })).problem).toMatchObject({ kind: 'checkpoint', position: 2 })
    const [checkpoint] = await checkpointsOf(log)
    expect((await log.verify({ notes: [checkpoint!.note()], verifiers: wrong })).problem).toMatchObject({ kind: 'note' })
  })

  test('of a log that is not sealed yet says how much waits', async () => {
    const log = ground.log()
    expect(await log.verify()).toMatchObject({ size: 0, unsealed: 0 })
    await log.write(3)
    expect(await log.verify()).toMatchObject({ size: 0, events: 0, unsealed: 3 })
  })

  test('finds an altered hash in the tiles above the leaves', async () => {
    const log = ground.log()
    await log.write(520)
    await log.seal()
    await ground.asSuperuser(
      `update ledger_tile set hashes = set_byte(hashes, 40, get_byte(hashes, 40) # 1) where level = 1 and tenant_id = '${log.tenant}'`,
    )
    expect((await log.verify()).problem).toMatchObject({ kind: 'tile' })
  })
})

describe('when old partitions are dropped', () => {
  test('what remains is proved as before, and what is missing beyond is told', async () => {
    const log = ground.log()
    await log.write(300)
    await log.seal()
    const gone = await log.events()
    const month = new Date().toISOString().slice(0, 7).replace('-', '_')
    // As if a month had passed: what is old lies in a partition that goes.
    const before = new Date()
    await log.write(300)
    await log.seal()
    await ground.asSuperuser(
      `create table kept as select * from audit_event_${month} where recorded_at >= '${before.toISOString()}' or tenant_id <> '${log.tenant}'`,
      `alter table audit_event detach partition audit_event_${month}`,
      `drop table audit_event_${month}`,
      `select daybook_prepare_audit_partitions(3)`,
      `insert into audit_event select * from kept`,
      `drop table kept`,
    )
    expect((await log.verify()).problem).toMatchObject({ kind: 'removed', position: 0 })
    const found = await log.verify({ droppedBefore: before })
    expect(found).toMatchObject({ size: 600, events: 300, dropped: 300 })
    expect(found.problem).toBeUndefined()
    const events = await log.events()
    expect(await isProved(log, events[0]!.id)).toBe(true)
    expect(await isProved(log, events[299]!.id)).toBe(true)
    await expect(log.transact(em => inclusionProof(em, gone[0]!.id))).rejects.toThrow(/There is no event/)
    await ground.asSuperuser(`update audit_event set recorded_at = recorded_at + interval '1 minute' where tenant_id = '${log.tenant}'`)
    expect((await log.verify({ droppedBefore: before })).problem).toMatchObject({ kind: 'changed' })
  })
})
