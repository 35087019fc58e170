import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { agentActor, systemActor, userActor } from '../../src/context/index.ts'
import { CalendarConnection, connectCalendar, importEvent, refreshToken, tokenOf } from '../../src/entities.ts'
import { newId } from '../../src/kernel/id.ts'
import type { Daybook, ScopedEntityManager } from '../../src/orm/index.ts'
import { feed } from '../../src/readers/index.ts'
import { openTestDaybook } from '../../src/testing/index.ts'
import { type Company, foundCompany, hireInto } from '../access/company.ts'

let daybook: Daybook
let company: Company

beforeAll(async () => {
  daybook = await openTestDaybook()
})
afterAll(() => daybook.close())
beforeEach(async () => {
  company = await foundCompany(daybook)
})

const mine = <T>(work: (em: ScopedEntityManager) => Promise<T>) => company.as(undefined, work)
const connect = (token: string, scopes = ['calendar.read']) =>
  mine(em => connectCalendar(em, { provider: 'GOOGLE', externalAccount: 'me@example.com', token, scopes }))
const connection = (em: ScopedEntityManager) => em.findOneOrFail(CalendarConnection, {})
const change = (does: (some: CalendarConnection) => void) => mine(async em => does(await connection(em)))
const token = () => mine(async em => tokenOf(em, await connection(em)))

describe('a calendar connection', () => {
  test('gives its token back to its person', async () => {
    await connect('ya29.first')
    expect(await token()).toBe('ya29.first')
    const stored = await mine(connection)
    expect(stored).toMatchObject({ status: 'ACTIVE', scopes: ['calendar.read'] })
    expect(stored.tokenRef).not.toContain('ya29')
    expect(JSON.stringify(stored)).not.toContain(stored.tokenRef)
  })

  test('gives it to nobody else: a colleague, a program, an agent, another person’s name in a system’s hands', async () => {
    await connect('ya29.first')
    const colleague = await hireInto(daybook, company, 'ADMIN')
    for (const actor of [userActor(colleague), systemActor('sync'), agentActor(newId()), agentActor(company.owner)]) {
      const attempts: ((em: ScopedEntityManager) => Promise<unknown>)[] = [
        async em => tokenOf(em, await connection(em)),
        async em => refreshToken(em, await connection(em), 'ya29.theirs'),
      ]
      for (const attempt of attempts)
        await expect(daybook.transact({ tenant: company.organization, actor }, attempt)).rejects.toMatchObject({
          code: 'scheduling.connection_foreign',
        })
    }
    const program = { tenant: company.organization, actor: systemActor('sync') }
    const attempt = daybook.transact(program, em => connectCalendar(em, { provider: 'ZOOM', externalAccount: 'a', token: 'b' }))
    await expect(attempt).rejects.toMatchObject({ code: 'scheduling.connection_foreign' })
    expect(await token()).toBe('ya29.first')
  })

  test('opens only in its own row', async () => {
    await connect('ya29.first')
    await mine(em => connectCalendar(em, { provider: 'APPLE', externalAccount: 'other', token: 'apple' }))
    await mine(em =>
      em.execute(
        `update calendar_connection set token_ref = (select token_ref from calendar_connection where provider = 'GOOGLE') where provider = 'APPLE'`,
      ),
    )
    const moved = mine(async em => tokenOf(em, await em.findOneOrFail(CalendarConnection, { provider: 'APPLE' })))
    await expect(moved).rejects.toThrow()
  })

  test('that expired opens nothing until it has a new token', async () => {
    await connect('ya29.first')
    await change(some => some.expire())
    await expect(token()).rejects.toMatchObject({ code: 'scheduling.connection_inactive', details: { status: 'EXPIRED' } })
    await mine(async em => refreshToken(em, await connection(em), 'ya29.second'))
    expect(await token()).toBe('ya29.second')
  })

  test('that is revoked has no token any more, and comes back only by being connected again', async () => {
    const { id } = await connect('ya29.first')
    await change(some => some.revoke())
    expect(await mine(connection)).toMatchObject({ status: 'REVOKED', tokenRef: null })
    const inactive = { code: 'scheduling.connection_inactive' }
    await expect(token()).rejects.toMatchObject(inactive)
    await expect(mine(async em => refreshToken(em, await connection(em), 'ya29.second'))).rejects.toMatchObject(inactive)
    const details = { title: 'a', startsAt: new Date(0), endsAt: new Date(1), timeZone: 'UTC' }
    await expect(mine(async em => importEvent(em, await connection(em), { externalId: 'a', ...details }))).rejects.toMatchObject(inactive)
    expect(await connect('ya29.third', [])).toMatchObject({ id, scopes: [] })
    expect(await token()).toBe('ya29.third')
  })

  test('never tells the log its token, sealed or not, and tells the account sealed for the person', async () => {
    const sealed: string[] = []
    const remember = async () => sealed.push((await mine(connection)).tokenRef!)
    await connect('ya29.first')
    await remember()
    await mine(async em => refreshToken(em, await connection(em), 'ya29.second'))
    await remember()
    await mine(em => em.execute(`update calendar_connection set token_ref = 'written by hand'`))
    await change(some => some.revoke())
    await connect('ya29.third')
    await remember()
    expect(new Set(sealed).size).toBe(3)
    const log = await mine(async em => JSON.stringify(await em.execute('select e::text as event from audit_event e')))
    expect(log).toContain('calendar-connection')
    for (const secret of ['ya29', 'written by hand', 'me@example.com', ...sealed]) expect(log).not.toContain(secret)
    const events = await mine(async em => (await feed(em, { entity: CalendarConnection })).items)
    expect(events.map(({ type }) => type)).toContain('calendar-connection.created')
    expect(events.length).toBeGreaterThanOrEqual(5)
  })

  test('isn’t there for another organization, of whose person it is too', async () => {
    await connect('ya29.first')
    const elsewhere = await foundCompany(daybook)
    const seen = daybook.transact({ tenant: elsewhere.organization, actor: userActor(company.owner) }, em =>
      em.find(CalendarConnection, {}),
    )
    expect(await seen).toEqual([])
  })
})
