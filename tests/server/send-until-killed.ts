import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { systemActor } from '../../src/context/index.ts'
import { deliverIssues } from '../../src/entities.ts'
import { openDaybook } from '../../src/open-daybook.ts'
import type { Transact } from '../../src/orm/index.ts'

/**
 * A process of its own that sends one tenant's newsletters into a table, which stands for the provider, until it is killed. Arguments: the
 * application's URL, the administrator's and the tenant.
 */
const [databaseUrl, providerUrl, tenant] = process.argv.slice(2) as [string, string, string]
await using daybook = await openDaybook({
  databaseUrl,
  masterKeys: [Buffer.alloc(32, 'daybook tests').toString('base64')],
  logQueries: false,
})
const provider = new pg.Pool({ connectionString: providerUrl, max: 2 })
const transact: Transact = work => daybook.transact({ tenant, actor: systemActor('newsletter') }, work)
const mailer = {
  send: async ({ id, to }: { readonly id: string; readonly to: string }) => {
    await sleep(Math.random() * 5)
    await provider.query(`insert into mailed (id, address) values ($1, $2)`, [id, to])
  },
}
// Whoever is ready first would be done before the last has begun, on a machine that has other things to do.
process.send!('ready')
await once(process, 'message')
for (;;) {
  const done = await deliverIssues({ mailer, unsubscribeUrl: token => `https://example.com/?token=${token}`, transact }, new Date())
  if (done === 0) await sleep(50)
}
