import { afterAll, beforeAll, expect, test } from 'vitest'
import { systemActor } from '../../src/context/index.ts'
import { jobs, runJob } from '../../src/jobs/index.ts'
import {
  type ConsistencyProof,
  countUnsealed,
  type InclusionProof,
  leafHash,
  openCheckpoint,
  parseVerifierKey,
  sealLog,
  verifyConsistency,
  verifyInclusion,
} from '../../src/ledger/index.ts'
import { openTestHost, type SignedUp, signUp, type TestHost } from './test-host.ts'

const base = '/organizations/current'
let on: TestHost
let ann: SignedUp
let zoe: SignedUp
beforeAll(async () => {
  on = await openTestHost()
  ann = await signUp(on, 'ann@acme.example', 'Acme')
  zoe = await signUp(on, 'zoe@zenith.example', 'Zenith')
})
afterAll(() => on[Symbol.asyncDispose]())

async function seal(): Promise<void> {
  const scope = { tenant: ann.organization, actor: systemActor('test') }
  do await sealLog(work => on.daybook.transact(scope, work), on.daybook)
  while ((await on.daybook.transact(scope, em => countUnsealed(em))) > 0)
}
const unbase64 = (text: string) => Buffer.from(text, 'base64')

test('somebody who has the key proves an event with what the host answers, and nobody else is told of it', async () => {
  await ann.caller.post(`${base}/tasks`, { title: 'one' })
  const [event] = (await ann.caller.get(`${base}/events?type=task.created`)).json<{ items: { id: string }[] }>().items
  const path = `${base}/events/${event!.id}/proof`
  expect((await ann.caller.get(`${base}/ledger/checkpoint`)).statusCode).toBe(404)
  expect((await ann.caller.get(path)).json()).toMatchObject({ status: 409, code: 'ledger.not_sealed_yet' })
  await seal()
  const proof = (await ann.caller.get(path)).json<InclusionProof>()
  const { keys } = (await ann.caller.get(`${base}/ledger/keys`)).json<{ keys: string[] }>()
  const { size, root } = openCheckpoint(proof.checkpoint, keys.map(parseVerifierKey))!
  const told = { leafHash: leafHash(Buffer.from(proof.leaf)), index: proof.index, size, root, path: proof.path.map(unbase64) }
  expect(verifyInclusion(told)).toBe(true)
  expect(proof.leaf).toContain(`\nid 36:${event!.id}\n`)
  expect((await ann.caller.get(`${base}/ledger/checkpoint`)).body).toBe(proof.checkpoint)
  const tile = (await ann.caller.get(`${base}/ledger/tile?level=0&index=${Math.floor(proof.index / 256)}`)).rawPayload
  const place = (proof.index % 256) * 32
  expect(tile.subarray(place, place + 32)).toEqual(told.leafHash)
  expect((await zoe.caller.get(path)).statusCode).toBe(404)
  expect((await zoe.caller.get(`${base}/ledger/checkpoint`)).statusCode).toBe(404)
  expect((await zoe.caller.get(`${base}/ledger/tile?level=0&index=0`)).statusCode).toBe(404)
})

test('the tree only grows, and the host proves it', async () => {
  await seal()
  await ann.caller.post(`${base}/tasks`, { title: 'two' })
  await seal()
  interface Page {
    readonly items: { treeSize: number; rootHash: string }[]
  }
  const { items } = (await ann.caller.get(`${base}/audit-checkpoints`)).json<Page>()
  const [earlier, later] = [items[0]!, items.at(-1)!]
  const answer = await ann.caller.get(`${base}/ledger/consistency?earlier=${earlier.treeSize}&size=${later.treeSize}`)
  const proof = answer.json<ConsistencyProof>()
  expect([proof.earlierRoot, proof.root]).toEqual([earlier.rootHash, later.rootHash])
  const [earlierRoot, root, path] = [unbase64(earlier.rootHash), unbase64(later.rootHash), proof.path.map(unbase64)]
  expect(verifyConsistency({ earlier: earlier.treeSize, earlierRoot, size: later.treeSize, root, path })).toBe(true)
  expect((await ann.caller.get(`${base}/ledger/consistency?earlier=1&size=100000`)).statusCode).toBe(404)
  expect((await ann.caller.post(`${base}/audit-checkpoints`, {})).statusCode).toBe(405)
})

test('keys have the installation’s name before the first seal too, and the job signs with it', async () => {
  await using own = await openTestHost({}, { installation: 'here.example' })
  const bea = await signUp(own, 'bea@acme.example', 'Acme')
  const keys = async () => (await bea.caller.get(`${base}/ledger/keys`)).json<{ keys: string[] }>().keys
  const early = await keys()
  expect(early.map(key => key.split('+')[0])).toEqual([`here.example/${bea.organization}`])
  const job = jobs.find(({ name }) => name === 'seal')!
  await expect
    .poll(async () => {
      await runJob(own.daybook, job)
      return (await bea.caller.get(`${base}/ledger/checkpoint`)).statusCode
    })
    .toBe(200)
  const { body } = await bea.caller.get(`${base}/ledger/checkpoint`)
  expect(openCheckpoint(body, early.map(parseVerifierKey))).toMatchObject({ origin: `here.example/${bea.organization}` })
  expect(await keys()).toEqual(early)
})
