import { daybookHost } from '../../src/http/index.ts'
import { openDaybook } from '../../src/open-daybook.ts'

/** A host as a process of its own, told to end by SIGTERM. It says which requests it took up, and how much of its heap is in use. */
const daybook = await openDaybook({ databaseUrl: process.argv[2]!, environment: 'production', logQueries: false })
const host = daybookHost(daybook, { rateLimits: false })
host.addHook('onRequest', async ({ id }) => void process.send!({ accepted: id }))
await host.listen({ port: 0, host: '127.0.0.1' })
process.send!({ address: host.listeningOrigin })
process.on('message', () => {
  gc!()
  process.send!({ heap: process.memoryUsage().heapUsed })
})
process.once('SIGTERM', () => {
  void host
    .close()
    .then(() => daybook.close())
    .then(() => process.disconnect())
})
