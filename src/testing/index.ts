export { type Examples, productExamples, related } from './examples.ts'
export { createRow, rowData } from './factories.ts'
export { type Factory, factory, type FactoryOptions } from './factory.ts'
export { type IsolationCase, isolationCases, tenantEntities, testIsolation } from './isolation-suite.ts'
export { type RowData } from './row-data.ts'
export {
  openTestDatabase,
  openTestDaybook,
  type TestDatabase,
  type TestDatabases,
  type TestOptions,
  useTestDatabases,
} from './test-database.ts'
export { startTestServer, type TestServer } from './test-server.ts'
