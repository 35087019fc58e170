import { inject } from 'vitest'
import { useTestDatabases } from '../../src/testing/index.ts'

const engine = process.env.DAYBOOK_TEST_ENGINE === 'server' ? 'server' : 'embedded'
useTestDatabases(inject('databases')[engine])
