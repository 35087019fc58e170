import { issueApiKey } from '../../../src/entities.ts'
import { daybookHost } from '../../../src/http/index.ts'
import type { Calls } from './world.ts'

export const aboutTheHost: Calls = {
  async 'whatever the host shows page by page'(world) {
    const scopes = ['*:read', 'audit-event:export']
    const { secret } = await world.work(em => issueApiKey(em, { name: 'Reads everything', environment: 'LIVE', scopes }))
    const host = daybookHost(world.daybook, { logger: { level: 'silent' }, rateLimits: false })
    const urls: string[] = []
    host.addHook('onRoute', ({ method, url }) => {
      if (method === 'GET' && url.startsWith('/organizations/')) urls.push(url.replace(':organization', 'current'))
    })
    await host.ready()
    // Those that need to be told more are asked elsewhere, and what happens live has no end.
    const asked = urls.filter(url => !url.includes(':') && !/\/(explain|search|live|consistency|tile|in-locale)$/.test(url))
    for (const url of asked) {
      const { statusCode } = await host.inject({ url, headers: { authorization: `Bearer ${secret}` } })
      if (statusCode !== 200) throw new Error(`${url} answers ${statusCode}`)
    }
    await host.close()
    if (asked.length < 4) throw new Error(`only ${asked.join(', ')} were asked`)
  },
}
