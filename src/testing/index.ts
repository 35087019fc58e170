export { createRow, type Examples, related, rowData, type RowData } from './factories.ts'
export { type IsolationCase, isolationCases, tenantEntities, testIsolation } from './isolation-suite.ts'
export {
  openTestDatabase,
  openTestDaybook,
  passwords,
  type TestDatabase,
  type TestDatabases,
  type TestOptions,
  urlsOf,
  useTestDatabases,
} from './test-database.ts'
export { administer, startCrashableServer, startTestServer, type TestServer } from './test-server.ts'
