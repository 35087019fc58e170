import pg from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { TransactionClient } from '../../src/orm/index.ts'
import { openTestDatabase, type TestDatabase } from '../../src/testing/index.ts'

/** What leaves when, and where errors arrive. The plain client beside it shows what the server has seen. */
let database: TestDatabase
let client: TransactionClient
let witness: pg.Client

beforeAll(async () => {
  database = await openTestDatabase()
  witness = new pg.Client({ connectionString: database.urls!.administrator })
  await witness.connect()
  await witness.query('create table note (id int primary key); grant all on note to daybook_app')
})
afterAll(async () => {
  await witness.end()
  await database.daybook.close()
})

beforeEach(async () => {
  client = new TransactionClient({ connectionString: database.urls!.app, pipeline: true })
  await client.connect()
  await witness.query('truncate note')
})
afterEach(() => client.end())

const context = (reason: string) => `set local daybook.reason = '${reason}'`
const stateOfClient = async () => {
  const { processID } = client as unknown as { processID: number }
  const { rows } = await witness.query<{ state: string; query: string }>('select state, query from pg_stat_activity where pid = $1', [
    processID,
  ])
  return rows[0]!
}
const notes = async () => (await witness.query<{ id: number }>('select id from note order by id')).rows.map(({ id }) => id)

/** As a flush has it: nothing but the words that leave behind the next statement. */
const tellingBehind = async (text: string, isLast = false, on = client) => {
  await on.query('begin')
  let isDue = true
  on.unsent.outbox = {
    ahead: () => (isDue ? ((isDue = false), { statement: { text, values: [] }, isLast }) : undefined),
    take: () => undefined,
    isReadBy: () => false,
    written: 0,
    forget: () => {},
  }
  on.unsent.beginUnit(() => {})
}
/** Somebody who writes the first note and takes their time. */
const holdingNote = async () => {
  const other = new pg.Client({ connectionString: database.urls!.administrator })
  await other.connect()
  await other.query('begin; insert into note values (1)')
  const letGo = () => other.query('rollback')
  return {
    letGo,
    [Symbol.asyncDispose]: async () => {
      await letGo()
      await other.end()
    },
  }
}
const eventually = (look: () => Promise<void>) => vi.waitFor(look, { timeout: 5_000, interval: 5 })

test('the opening and the context wait for the first statement, and then hold for the transaction', async () => {
  await client.query('begin')
  await client.query(context('import'))
  expect(await stateOfClient()).toMatchObject({ state: 'idle' })
  const { rows } = await client.query<{ reason: string }>(`select current_setting('daybook.reason') as reason`)
  expect(rows).toEqual([{ reason: 'import' }])
  expect(await stateOfClient()).toMatchObject({ state: 'idle in transaction' })
  await client.query('commit')
  const after = await client.query<{ reason: string }>(`select current_setting('daybook.reason', true) as reason`)
  expect(after.rows[0]!.reason || null).toBeNull()
  expect(await stateOfClient()).toMatchObject({ state: 'idle' })
})

test.each(['commit', 'rollback'])('a transaction without a statement never reaches the server, and ends with %s', async end => {
  await client.query('begin')
  await client.query(context('nothing'))
  await client.query(end)
  expect((await stateOfClient()).query).toBe('')
  expect((await client.query<{ one: number }>('select 1 as one')).rows).toEqual([{ one: 1 }])
})

test.each(['start transaction isolation level serializable read only', 'start transaction read only'])(
  '%s keeps its words',
  async opening => {
    await client.query(opening)
    await expect(client.query('insert into note values (1)')).rejects.toThrow(/read-only transaction/)
    await client.query('rollback')
  },
)

describe('when something that was held fails', () => {
  test('its own error reaches the caller of the first statement, and nothing is written', async () => {
    await client.query('begin')
    await client.query(`set local statement_timeout = 'not a time'`)
    await expect(client.query('insert into note values (1)')).rejects.toMatchObject({ code: '22023' })
    await client.query('rollback')
    expect(await notes()).toEqual([])
  })

  test('a commit that follows all the same is refused', async () => {
    await client.query('begin')
    await client.query(`set local statement_timeout = 'not a time'`)
    await client.query('insert into note values (1)').catch(() => {})
    await expect(client.query('commit')).rejects.toMatchObject({ code: 'transaction.rolled_back' })
    expect(await notes()).toEqual([])
  })
})

test('a statement that fails reaches its caller, and a commit after it is refused', async () => {
  await client.query('begin')
  await client.query('insert into note values (1)')
  await expect(client.query('insert into note values (1)')).rejects.toMatchObject({ code: '23505' })
  await expect(client.query('commit')).rejects.toMatchObject({ code: 'transaction.rolled_back' })
  expect(await notes()).toEqual([])
})

describe('what a flush tells behind its statements', () => {
  test('is written with it', async () => {
    await tellingBehind('insert into note values (2)')
    await client.query('insert into note values (1)')
    await client.query('commit')
    expect(await notes()).toEqual([1, 2])
  })

  test('is not waited for', async () => {
    await tellingBehind('select pg_sleep(0.5)')
    const start = performance.now()
    await client.query('insert into note values (1)')
    expect(performance.now() - start).toBeLessThan(400)
    await client.query('commit')
    expect(performance.now() - start).toBeGreaterThan(450)
  })

  test('fails for the caller of commit, and nothing is written', async () => {
    await tellingBehind('select 1 / 0')
    await client.query('insert into note values (1)')
    await expect(client.query('commit')).rejects.toMatchObject({ code: '22012' })
    expect(await notes()).toEqual([])
    expect((await client.query<{ one: number }>('select 1 as one')).rows).toEqual([{ one: 1 }])
  })

  test('fails for the caller of the next statement, as the cause that it is', async () => {
    await tellingBehind('select 1 / 0')
    await client.query('insert into note values (1)')
    await expect(client.query('insert into note values (2)')).rejects.toMatchObject({ code: '22012' })
    await client.query('rollback')
    expect(await notes()).toEqual([])
  })

  test('is refused with the statement before it, whose own error its caller gets', async () => {
    await tellingBehind('insert into note values (2)')
    await expect(client.query('insert into note values (1), (1)')).rejects.toMatchObject({ code: '23505' })
    await client.query('rollback')
    expect(await notes()).toEqual([])
  })
})

describe.each([
  { where: 'alone', isBeside: false },
  { where: 'beside another transaction, in one message', isBeside: true },
])('a commit that leaves with the last words, $where,', ({ isBeside }) => {
  let other: TransactionClient
  beforeEach(async () => {
    other = new TransactionClient({ connectionString: database.urls!.app, pipeline: true })
    await other.connect()
    if (isBeside) await other.query('begin')
  })
  afterEach(async () => {
    await other.query('rollback')
    await other.end()
  })
  /** In one message the statement has failed as well. */
  const writtenBefore = async (code: string) => {
    const written = client.query('insert into note values (1)')
    await (isBeside ? expect(written).rejects.toMatchObject({ code }) : written)
  }

  test('is what its caller gets when asking for it', async () => {
    await tellingBehind('insert into note values (2)', true)
    const { command, rowCount, rows } = await client.query('insert into note values (1) returning id')
    expect({ command, rowCount, rows }).toEqual({ command: 'INSERT', rowCount: 1, rows: [{ id: 1 }] })
    await eventually(async () => expect(await notes()).toEqual([1, 2]))
    expect(await client.query('commit')).toMatchObject({ command: 'COMMIT' })
    expect((await client.query<{ one: number }>('select 1 as one')).rows).toEqual([{ one: 1 }])
  })

  test('is left out when the statement before it fails', async () => {
    await tellingBehind('insert into note values (2)', true)
    await expect(client.query('insert into note values (1), (1)')).rejects.toMatchObject({ code: '23505' })
    await client.query('rollback')
    expect(await notes()).toEqual([])
    expect((await client.query<{ one: number }>('select 1 as one')).rows).toEqual([{ one: 1 }])
  })

  test('is left out when the words fail, and says why', async () => {
    await tellingBehind('select 1 / 0', true)
    await writtenBefore('22012')
    await expect(client.query('commit')).rejects.toMatchObject({ code: '22012' })
    expect(await notes()).toEqual([])
    expect(await stateOfClient()).toMatchObject({ state: 'idle' })
  })

  test('fails for what is only checked at the end', async () => {
    await witness.query('alter table note add constraint only_one unique (id) deferrable initially deferred')
    await witness.query('alter table note drop constraint note_pkey')
    try {
      await tellingBehind('insert into note values (1)', true)
      await writtenBefore('23505')
      await expect(client.query('commit')).rejects.toMatchObject({ code: '23505', constraint: 'only_one' })
      expect(await notes()).toEqual([])
    } finally {
      await witness.query('alter table note drop constraint only_one, add primary key (id)')
    }
  })

  test('lets nothing follow', async () => {
    await tellingBehind('insert into note values (2)', true)
    await client.query('insert into note values (1)')
    await expect(client.query('insert into note values (3)')).rejects.toThrow('Nothing can follow')
    await client.query('commit')
    expect(await notes()).toEqual([1, 2])
  })

  test('can’t be taken back once it is done, and the client stays usable', async () => {
    await tellingBehind('insert into note values (2)', true)
    await client.query('insert into note values (1)')
    await client.query('rollback')
    expect(await notes()).toEqual([1, 2])
    expect((await client.query<{ one: number }>('select 1 as one')).rows).toEqual([{ one: 1 }])
  })

  test('is left out when the transaction is given up while its statement waits', async () => {
    await using held = await holdingNote()
    await tellingBehind('insert into note values (2)', true)
    const refused = expect(client.query('insert into note values (1)')).rejects.toMatchObject({ code: '57014' })
    await eventually(async () => expect(await stateOfClient()).toMatchObject({ state: 'active' }))
    client.abandon(client.unsent)
    await refused
    await client.query('rollback')
    await held.letGo()
    expect(await notes()).toEqual([])
    expect((await client.query<{ one: number }>('select 1 as one')).rows).toEqual([{ one: 1 }])
  })

  test('leaves doubt when the connection is lost before the statement is answered', async () => {
    const cut = new TransactionClient({ connectionString: database.urls!.app, pipeline: true })
    cut.on('error', () => {})
    await cut.connect()
    await using held = await holdingNote()
    await tellingBehind('insert into note values (2)', true, cut)
    const lost = expect(cut.query('insert into note values (1)')).rejects.toMatchObject({ code: 'transaction.outcome_unknown' })
    const { processID } = cut as unknown as { processID: number }
    await witness.query('select pg_terminate_backend($1)', [processID])
    await lost
    await held.letGo()
  })
})

test('when the last words of a transaction fail, commit says why and leaves the client usable', async () => {
  await client.query('begin')
  await client.query('insert into note values (1)')
  client.unsent.outbox = {
    ahead: () => undefined,
    take: () => ({ text: 'select 1 / 0', values: [] }),
    isReadBy: () => false,
    forget: () => {},
    written: 0,
  }
  await expect(client.query('commit')).rejects.toMatchObject({ code: '22012' })
  expect(await stateOfClient()).toMatchObject({ state: 'idle' })
  expect(await notes()).toEqual([])
})

test('a transaction that only read doesn’t wait for its end; one that holds locks does', async () => {
  await client.query('begin')
  await client.query('select count(*) from note')
  const end = client.query('commit')
  expect(await Promise.race([end.then(() => 'at once'), new Promise(resolve => setImmediate(resolve, 'later'))])).toBe('at once')
  await witness.query('insert into note values (1)')
  await client.query('begin')
  await client.query('select id from note for update')
  await client.query('commit')
  await witness.query('select id from note for update nowait')
  expect(await stateOfClient()).toMatchObject({ state: 'idle' })
})

test.each([
  ['a read that failed', () => client.query('select 1 / 0')],
  ['a statement object', () => client.query({ text: 'insert into note values (1), (1)', values: [] })],
])('a commit after %s is waited for, and refused', async (_what, attempt) => {
  await client.query('begin')
  await expect(attempt()).rejects.toThrow()
  await expect(client.query('commit')).rejects.toMatchObject({ code: 'transaction.rolled_back' })
})

test.each([`it's`, String.raw`a \ and a '`, 'ünï 😀', ''])('a session variable may be any text: %s', async value => {
  await client.query('begin')
  client.unsent.set('daybook.reason', value)
  const { rows } = await client.query<{ reason: string }>(`select pg_sleep(0), current_setting('daybook.reason') as reason`)
  expect(rows[0]!.reason).toBe(value)
  await client.query('rollback')
})

test('savepoints behave as ever', async () => {
  await client.query('begin')
  await client.query(context('savepoint'))
  await client.query('savepoint a')
  await client.query('insert into note values (1)')
  await client.query('rollback to savepoint a')
  await client.query('insert into note values (2)')
  await client.query('commit')
  expect(await notes()).toEqual([2])
})

test('statements that are sent without waiting keep their order', async () => {
  const order: string[] = []
  await Promise.all(
    ['begin', 'insert into note values (1)', 'update note set id = 2', 'delete from note where id = 1', 'commit'].map(async text => {
      await client.query(text)
      order.push(text.split(' ')[0]!)
    }),
  )
  expect(await notes()).toEqual([2])
  expect(order.indexOf('insert')).toBeLessThan(order.indexOf('update'))
})

test('a cancelled statement ends its transaction and leaves the client usable', async () => {
  await client.query('begin')
  await client.query(context('cancel'))
  const slow = client.query('select pg_sleep(10)')
  const refused = expect(slow).rejects.toMatchObject({ code: '57014' })
  const { processID } = client as unknown as { processID: number }
  while ((await stateOfClient()).state !== 'active') await new Promise(resolve => setTimeout(resolve, 5))
  await witness.query('select pg_cancel_backend($1)', [processID])
  await refused
  await client.query('rollback')
  expect((await client.query<{ one: number }>('select 1 as one')).rows).toEqual([{ one: 1 }])
})

test('a connection that is cut rejects what was held and what was asked', async () => {
  const cut = new TransactionClient({ connectionString: database.urls!.app, pipeline: true })
  cut.on('error', () => {})
  await cut.connect()
  await cut.query('begin')
  await cut.query(context('cut'))
  const { processID } = cut as unknown as { processID: number }
  await witness.query('select pg_terminate_backend($1)', [processID])
  await expect(cut.query('insert into note values (9)')).rejects.toThrow()
  expect(await notes()).toEqual([])
})

test('the callback style and statement objects work as ever, behind what was held', async () => {
  await client.query('begin')
  await client.query(context('object'))
  const { rows } = await client.query<{ reason: string }>({ text: `select current_setting('daybook.reason') as reason`, values: [] })
  expect(rows).toEqual([{ reason: 'object' }])
  const viaCallback = await new Promise((resolve, reject) => {
    client.query('select 2 as two', (error: Error | null, result: pg.QueryResult) => (error ? reject(error) : resolve(result.rows)))
  })
  expect(viaCallback).toEqual([{ two: 2 }])
  await client.query('commit')
})
