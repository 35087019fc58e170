import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { systemActor } from '../../src/context/index.ts'
import { IdempotencyKey } from '../../src/entities.ts'
import { ActionHost, base } from './action-host.ts'
import { roleIdOf } from './test-host.ts'

interface Row {
  readonly id: string
}

let here: ActionHost
beforeAll(async () => {
  here = await ActionHost.open()
})
afterAll(() => here[Symbol.asyncDispose]())

const once = (url: string, payload: object | undefined, key: string) =>
  here.ann.caller.call('POST', `${base}/${url}`, { ...(payload && { payload }), headers: { 'idempotency-key': key } })

describe('sent again under its key', () => {
  test('a key is made once, and its secret shown once', async () => {
    const send = () => once('api-keys', { name: 'twice', environment: 'LIVE', scopes: ['role:read'] }, 'key')
    const [first, again] = [await send(), await send()]
    expect([first.statusCode, again.statusCode, again.headers['idempotency-replayed']]).toEqual([201, 201, 'true'])
    expect(first.json<{ secret: string }>().secret).toMatch(/^dbk_/)
    expect(again.json()).toEqual({ apiKey: first.json<{ apiKey: Row }>().apiKey })
    const named = (await here.seen<{ items: { name: string }[] }>('api-keys')).items.filter(({ name }) => name === 'twice')
    expect(named).toHaveLength(1)
    const rotate = () => once(`api-keys/${first.json<{ apiKey: Row }>().apiKey.id}/rotate`, undefined, 'rotation')
    const [rotated, replayed] = [await rotate(), await rotate()]
    expect([rotated.statusCode, replayed.json()]).toEqual([201, { apiKey: rotated.json<{ apiKey: Row }>().apiKey }])
  })

  test('an invitation is mailed once', async () => {
    const invitation = { email: 'once@b.example', role: await roleIdOf(here.ann.caller, 'VIEWER') }
    const [first, again] = [await once('invitations', invitation, 'mail'), await once('invitations', invitation, 'mail')]
    expect([first.statusCode, again.json()]).toEqual([201, first.json()])
    expect(here.on.mails.filter(({ to }) => to === 'once@b.example')).toHaveLength(1)
  })

  test('a role is the same one', async () => {
    const role = { key: 'ONCE', name: 'Once', permissions: ['task:read'] }
    const [first, again] = [await once('roles', role, 'role'), await once('roles', role, 'role')]
    expect([first.statusCode, again.statusCode, again.json()]).toEqual([201, 201, first.json()])
    expect((await once('roles', { ...role, name: 'Other' }, 'role')).json()).toMatchObject({ code: 'idempotency.mismatch' })
  })

  test('is shown no more than whoever sends it may still see', async () => {
    const { caller, user } = await here.member('lost@b.example', 'ADMIN')
    const send = (url: string, payload: object, key: string) =>
      caller.call('POST', `${base}/${url}`, { payload, headers: { 'idempotency-key': key } })
    const prospect = (await here.made('prospects', { email: 'ada@b.example', firstName: 'Ada' })).id
    const sequence = (await here.made('email-sequences', { name: 'Hello' })).id
    const step = (await here.made('sequence-steps', { sequence, position: 1, subject: 'Hi', bodyTemplate: 'Dear {{firstName}}' })).id
    const create = () => send('tasks', { title: 'Confidential' }, 'seen')
    const preview = () => send(`sequence-steps/${step}/preview`, { prospect }, 'previewed')
    const [made, previewed] = [await create(), await preview()]
    expect([made.json(), previewed.json()]).toMatchObject([{ title: 'Confidential' }, { body: 'Dear Ada' }])
    expect([(await create()).json(), (await preview()).json()]).toEqual([made.json(), previewed.json()])
    for (const permission of ['task:read', 'prospect:read']) await here.made('user-permissions', { user, permission, effect: 'DENY' })
    const replayed = await create()
    expect([replayed.statusCode, replayed.json(), replayed.headers.etag]).toEqual([201, { id: made.json<Row>().id }, undefined])
    expect((await preview()).json()).toMatchObject({ status: 403, code: 'access.denied' })
  })

  test('after its day is another one', async () => {
    const send = () => once('tasks', { title: 'Daily' }, 'daily')
    const first = await send()
    await here.on.daybook.transact({ tenant: here.ann.organization, actor: systemActor('test') }, em =>
      em.nativeUpdate(IdempotencyKey, { key: 'daily' }, { expiresAt: new Date() }),
    )
    const [second, again] = [await send(), await send()]
    expect([second.statusCode, second.headers['idempotency-replayed']]).toEqual([201, undefined])
    expect(second.json<Row>().id).not.toBe(first.json<Row>().id)
    expect([again.headers['idempotency-replayed'], again.json()]).toEqual(['true', second.json()])
  })
})
