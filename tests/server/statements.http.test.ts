import pg from 'pg'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { systemActor } from '../../src/context/index.ts'
import { CampaignEnrollment, Message } from '../../src/entities.ts'
import { ActionHost, base } from '../http/action-host.ts'
import { Caller, rowFor } from '../http/test-host.ts'

let here: ActionHost
let program: Caller

beforeAll(async () => {
  here = await ActionHost.open()
  const key = { name: 'k', environment: 'LIVE', scopes: ['task:manage', 'message:manage'] }
  const { secret } = await here.made<{ secret: string }>('api-keys', key)
  program = new Caller(here.on, { authorization: `Bearer ${secret}` })
  await post('tasks', { title: 'What is asked once, is asked now.' })
})
afterAll(() => here[Symbol.asyncDispose]())

const post = async (path: string, payload: object, key?: string) => {
  const answer = await program.call('POST', `${base}/${path}`, { payload, headers: key ? { 'idempotency-key': key } : {} })
  expect([path, answer.statusCode]).toEqual([path, expect.toBeOneOf([200, 201])])
}

const words = /\b(for update)$|(?:^|; )(?:(insert into|update) "(\w+)"|(commit)$|select daybook_(append))/g

/** What the server was asked, a line for each message: what it locked, wrote or ended. */
async function asked(act: () => Promise<void>): Promise<string[]> {
  using query = vi.spyOn(pg.Connection.prototype, 'query')
  await act()
  return query.mock.calls.map(([text]) => [...text.matchAll(words)].map(found => found.slice(1).filter(Boolean).join(' ')).join(', '))
}

test('what was answered under a key is written once, when all else is', async () => {
  expect(await asked(() => post('tasks', { title: 'once' }, 'once'))).toEqual([
    '', // whether the key's turn is free
    '', // whether it is known
    'insert into task',
    'append, insert into idempotency_key',
    'commit',
  ])
  expect(await asked(() => post('tasks', { title: 'once' }, 'once'))).toEqual(['', '', 'commit'])
})

test('a reply is written when all that it concerns is locked', async () => {
  const { ann, on } = here
  const enrollment = await rowFor(on, ann, CampaignEnrollment)
  const { campaign, prospect } = await on.daybook.transact({ tenant: ann.organization, actor: systemActor('test') }, em =>
    em.findOneOrFail(CampaignEnrollment, enrollment),
  )
  const message = await rowFor(on, ann, Message, {
    direction: 'OUTBOUND',
    status: 'SENT',
    campaign: campaign.id,
    prospect: prospect.id,
  })
  const statements = await asked(() => post(`messages/${message}/record-reply`, { body: 'Yes' }, 'reply'))
  expect(statements.filter(Boolean)).toEqual([
    ...Array.from({ length: 4 }, () => 'for update'),
    'insert into message',
    'update prospect',
    'update campaign_enrollment',
    'update message',
    'append, insert into idempotency_key',
    'commit',
  ])
})
