import { setTimeout as sleep } from 'node:timers/promises'
import { systemActor } from '../../src/context/index.ts'
import { openDaybook } from '../../src/open-daybook.ts'
import { subscribe } from '../../src/readers/index.ts'
import { entities } from '../audit/model.ts'

/** A process of its own that follows one tenant's log into a table until it is killed. Arguments: the database’s URL and the tenant. */
const [databaseUrl, tenant] = process.argv.slice(2) as [string, string]
const daybook = await openDaybook({ databaseUrl, entities, logQueries: false })

subscribe(
  daybook,
  'killed',
  async (events, em) => {
    const labels = events.map(({ after }) => after!.label as string)
    await em.execute(`insert into followed (label) select label from json_array_elements_text(?::json) as label`, [JSON.stringify(labels)])
    // Killed here, both what was written and the position are gone; killed after the commit, neither is.
    await sleep(Math.random() * 20)
  },
  { scope: { tenant, actor: systemActor('follower') }, batch: 1 + Math.floor(Math.random() * 200), pollMs: 5 },
)
process.once('disconnect', () => process.exit()) // nobody is left to kill it
process.send?.('following')
