import { writeFileSync } from 'node:fs'
import { daybookHost } from '../../src/http/index.ts'
import { openDaybook } from '../../src/open-daybook.ts'
import { openapiText } from './openapi-text.ts'

/** Writes docs/openapi.json anew; what has changed is then to be read before it is committed. */
await using daybook = await openDaybook({ inMemory: true, logQueries: false })
const host = daybookHost(daybook, { rateLimits: false })
const answer = await host.inject('/openapi.json')
writeFileSync('docs/openapi.json', openapiText(answer.json()))
await host.close()
