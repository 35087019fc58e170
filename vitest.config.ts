import { defineConfig } from 'vitest/config'

// CI may run beside others, where a time limit can pass for a failure: there a test that fails is tried twice more. Locally the first failure
// counts.
const common = { isolate: true, hookTimeout: 120_000, testTimeout: 60_000, retry: process.env.CI ? 2 : 0 }
const setupFiles = ['tests/setup/use-databases.ts']
const onDatabases = ['tests/**/*.db.test.ts', 'tests/**/*.http.test.ts']

/** Tests that need a database run twice: on the embedded one for speed, on a real server for truth. */
export default defineConfig({
  test: {
    globalSetup: ['tests/setup/databases.ts'],
    // Left to itself it takes one worker on two cores, and half of the time.
    maxWorkers: 2,
    projects: [
      {
        test: {
          ...common,
          name: 'package',
          include: ['tests/{package,examples}/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      { test: { ...common, name: 'unit', include: ['tests/**/*.unit.test.ts'] } },
      {
        test: {
          ...common,
          name: 'embedded',
          setupFiles,
          include: onDatabases,
          exclude: ['tests/server/**'],
          env: { DAYBOOK_TEST_ENGINE: 'embedded' },
        },
      },
      {
        test: {
          ...common,
          name: 'server',
          setupFiles,
          include: [...onDatabases, 'tests/server/**/*.test.ts'],
          exclude: ['tests/embedded/**'],
          // A server has no place of its own for a key.
          env: { DAYBOOK_TEST_ENGINE: 'server', DAYBOOK_MASTER_KEY: Buffer.alloc(32, 'daybook tests').toString('base64') },
        },
      },
    ],
  },
})
