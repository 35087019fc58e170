export * from './domain/identity/index.ts'
export * from './domain/organizations/index.ts'
export * from './domain/access/index.ts'
export * from './domain/system/index.ts'
