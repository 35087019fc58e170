import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { systemActor } from '../../src/context/index.ts'
import { newId } from '../../src/kernel/id.ts'
import { countUnsealed, sealLog, type SealOptions, verifyLog, type VerifyOptions } from '../../src/ledger/index.ts'
import type { Daybook, Transact } from '../../src/orm/index.ts'
import { openTestDatabase, type TestDatabase, type TestOptions } from '../../src/testing/index.ts'

export interface Log {
  readonly tenant: string
  readonly transact: Transact
  readonly write: (count: number, from?: number) => Promise<void>
  readonly sealOnce: (options?: Partial<SealOptions>) => Promise<number>
  /** Everything that is there now. */
  readonly seal: (options?: Partial<SealOptions>) => Promise<number>
  readonly verify: (options?: VerifyOptions) => ReturnType<typeof verifyLog>
  readonly events: () => Promise<{ seq: number; id: string }[]>
}

export interface Ground {
  readonly database: TestDatabase
  readonly daybook: Daybook
  readonly log: (tenant?: string) => Log
  /** What whoever rules the database can do: triggers are off, policies don't hold. */
  readonly asSuperuser: (...statements: string[]) => Promise<void>
}

export async function openGround(options: TestOptions = {}): Promise<Ground> {
  const database = await openTestDatabase(options)
  const { daybook } = database
  const { installation } = daybook
  const log = (tenant = newId()): Log => {
    const transact: Transact = work => daybook.transact({ tenant, actor: systemActor('test') }, work)
    return {
      tenant,
      transact,
      write: (count, from = 0) =>
        transact(async em => {
          const events = Array.from({ length: count }, (_event, place) => ({
            t: tenant,
            y: 'test.written',
            e: 'test',
            i: newId(),
            v: 1,
            c: newId(),
            w: 'a cause',
            p: ['text', 'a "quoted" one'],
            b: { text: null },
            a: { text: `é ${from + place}` },
          }))
          await em.execute('select daybook_append(?)', [JSON.stringify(events)])
        }),
      sealOnce: sealOptions => sealLog(transact, { installation, ...sealOptions }),
      async seal(sealOptions) {
        let sealed = 0
        // Whatever writes elsewhere on the server keeps the newest events from having settled.
        for (let [more, waiting] = [-1, 1]; more !== 0 || waiting > 0; waiting = await transact(countUnsealed)) {
          more = await sealLog(transact, { installation, ...sealOptions })
          if (more === 0) await sleep(10)
          sealed += more
        }
        return sealed
      },
      verify: verifyOptions => verifyLog(transact, verifyOptions),
      events: () =>
        transact(em =>
          em.execute<{ seq: number; id: string }[]>(`select seq::int as seq, id from audit_event where tenant_id = ? order by seq`, [
            tenant,
          ]),
        ),
    }
  }
  return { database, daybook, log, asSuperuser: statements(database) }
}

const tables = ['audit_event', 'ledger_tile', 'audit_checkpoint']
const triggers = (what: string) => tables.map(table => `alter table ${table} ${what} trigger append_only`)

function statements({ daybook, urls }: TestDatabase) {
  return async (...work: string[]): Promise<void> => {
    const all = ['begin', ...triggers('disable'), ...work, ...triggers('enable always'), 'commit']
    if (!urls) {
      const connection = daybook.orm.driver.getConnection()
      await connection.execute('reset role')
      for (const statement of all) await connection.execute(statement)
      await connection.execute('set role daybook_app')
      return
    }
    const client = new pg.Client({ connectionString: urls.administrator })
    await client.connect()
    try {
      for (const statement of all) await client.query(statement)
    } finally {
      await client.end()
    }
  }
}
