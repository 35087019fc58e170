import { LockMode } from '@mikro-orm/core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { systemActor } from '../../src/context/index.ts'
import { acceptInvitation, cancelInvitation, Invitation } from '../../src/entities.ts'
import type { ScopedEntityManager } from '../../src/orm/index.ts'
import { ActionHost, base } from '../http/action-host.ts'
import { password, roleIdOf, tokenFor } from '../http/test-host.ts'

/** Needs two connections: somebody accepts an invitation while somebody else withdraws it. */
let here: ActionHost
beforeAll(async () => {
  here = await ActionHost.open()
})
afterAll(() => here[Symbol.asyncDispose]())

const transact = <T>(work: (em: ScopedEntityManager) => Promise<T>) =>
  here.on.daybook.transact({ tenant: here.ann.organization, actor: systemActor('test') }, work)
const invite = async (email: string) => (await here.made('invitations', { email, role: await roleIdOf(here.ann.caller, 'VIEWER') })).id
const statusOf = (id: string) => transact(async em => (await em.findOneOrFail(Invitation, id)).status)

test('who withdraws an invitation that is just being accepted is told that it is', async () => {
  const id = await invite('just@b.example')
  const [taken, go] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const accepting = transact(async em => {
    const invitation = await em.findOneOrFail(Invitation, id, { lockMode: LockMode.PESSIMISTIC_WRITE })
    taken.resolve()
    await go.promise
    invitation.close('ACCEPTED')
  })
  await taken.promise
  const withdrawing = here.ann.caller.delete(`${base}/invitations/${id}`)
  setTimeout(go.resolve, 300)
  await accepting
  expect((await withdrawing).json()).toMatchObject({ status: 409, code: 'access.invitation_state' })
  expect(await statusOf(id)).toBe('ACCEPTED')
})

test('what has become of an invitation stays, whoever would change it', async () => {
  const id = await invite('meanwhile@b.example')
  const withdrawing = transact(async em => {
    const invitation = await em.findOneOrFail(Invitation, id)
    await acceptInvitation(here.on.daybook, { token: tokenFor(here.on.mails, 'meanwhile@b.example'), password })
    cancelInvitation(invitation)
  })
  await expect(withdrawing).rejects.toMatchObject({ constraint: 'invitation_closes_once' })
  expect(await statusOf(id)).toBe('ACCEPTED')
})
