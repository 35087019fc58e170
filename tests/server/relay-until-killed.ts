import { once } from 'node:events'
import pg from 'pg'
import { setTimeout as sleep } from 'node:timers/promises'
import { systemActor } from '../../src/context/index.ts'
import { relayMessages } from '../../src/entities.ts'
import { openDaybook } from '../../src/open-daybook.ts'
import type { Transact } from '../../src/orm/index.ts'

/**
 * A process of its own that relays one tenant's messages into a table, which stands for the broker. Arguments: the application's URL, the
 * administrator's, the tenant, its name, and after how many messages its broker stops answering.
 */
const [databaseUrl, brokerUrl, tenant, name, most] = process.argv.slice(2) as [string, string, string, string, string]
await using daybook = await openDaybook({ databaseUrl, logQueries: false })
const broker = new pg.Pool({ connectionString: brokerUrl, max: 2 })
const transact: Transact = work => daybook.transact({ tenant, actor: systemActor(name) }, work)
const sent: Promise<unknown>[] = []
const publisher = {
  publish: async ({ id, key, position }: { readonly id: string; readonly key: string; readonly position: number }) => {
    if (sent.length >= Number(most)) {
      await Promise.all(sent)
      process.send!('stuck')
      await new Promise(() => setInterval(() => undefined, 1_000))
    }
    const values = [name, id, key, position]
    sent.push(broker.query(`insert into received (relay, message, key, position) values ($1, $2, $3, $4)`, values))
    await sent.at(-1)
  },
}
process.send!('ready')
await once(process, 'message') // Whoever starts later would find nothing left to do.
for (let idle = 0; idle < 20;) {
  const taken = await relayMessages({ publisher, transact }, new Date())
  idle = taken > 0 ? 0 : idle + 1
  if (taken === 0) await sleep(50)
}
await broker.end()
process.disconnect()
