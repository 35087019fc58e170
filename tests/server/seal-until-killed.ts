import { systemActor } from '../../src/context/index.ts'
import { sealLog } from '../../src/ledger/index.ts'
import { openDaybook } from '../../src/open-daybook.ts'
import type { Transact } from '../../src/orm/index.ts'

/** A process of its own that seals one tenant's log, a few events at a time, until it is killed. Arguments: the database’s URL and the tenant. */
const [databaseUrl, tenant] = process.argv.slice(2) as [string, string]
const masterKeys = [Buffer.alloc(32, 'daybook tests').toString('base64')]
const daybook = await openDaybook({ databaseUrl, masterKeys, logQueries: false })
const transact: Transact = work => daybook.transact({ tenant, actor: systemActor('sealer') }, work)

process.send?.('sealing')
for (;;) await sealLog(transact, { installation: daybook.installation, batch: 1 + Math.floor(Math.random() * 40) })
