
import * as daybook from './src/index.ts'
import * as helpers from './src/helpers/index.ts'
const {
  AuthService, can, cleanupExpiredSessions, cleanupSoftDeletedRecords, checkDatabaseHealth, createPaginatedResponse, createTenantClient,
  getPaginationParams, history, Membership, Organization, openDaybook, PaginatedRepository, Prospect, registerOrganization,
  restore: restoreFromLog, Role, searchProspects, softDelete, systemActor, tenantContext, transactionHelpers, User, userActor,
  UserRepository, withRetry, withSoftDelete, withTenant,
} = daybook
const { restore: restoreDeleted } = helpers
const db = await openDaybook({ inMemory: true, logQueries: false })
const owner = { email: 'ann@acme.example', password: 'a long and private sentence', organization: { name: 'Acme' } }
const { organization: { id: tenant }, user: { id: user } } = await registerOrganization(db, owner)
const actor = userActor(user)
const operator = { kind: 'operator', actor: systemActor('clean-up'), reason: 'clean-up' } as const
const em = db.scope({ tenant, actor })
async function idOfDeletedRole(): Promise<string> {
  const role = em.create(Role, { key: 'GONE', name: 'Gone' })
  await em.flush()
  em.remove(role)
  await em.flush()
  return role.id
}

em.create(Prospect, { email: 'ada@example.com', score: 80 }); await em.flush()
console.log('call 0');
for (const email of ['bob@example.com', 'cy@example.com']) em.create(Prospect, { email }); await em.flush()
console.log('call 1');
await em.find(Prospect, { score: { $gte: 50 } }, { orderBy: { score: 'desc' }, limit: 10 })
console.log('call 2');
await em.find(Prospect, { status: 'NEW' })
console.log('call 3');
await em.findOne(Prospect, { email: 'ada@example.com' })
console.log('call 4');
await em.findOneOrFail(Prospect, { email: 'ada@example.com' })
console.log('call 5');
await em.count(Prospect, { status: 'NEW' })
console.log('call 6');
await em.find(User, {}, { fields: ['id', 'email'] })
console.log('call 7');
await em.find(Membership, {}, { populate: ['user'] })
console.log('call 8');
(await em.findOneOrFail(Prospect, { email: 'ada@example.com' })).company = 'Example'; await em.flush()
console.log('call 9');
await em.nativeUpdate(Prospect, { status: 'NEW' }, { region: 'EU' })
console.log('call 10');
await em.upsert(Role, { tenantId: tenant, key: 'REVIEWER', name: 'Reviewer' }, { onConflictFields: ['tenantId', 'key'] })
console.log('call 11');
em.remove(await em.findOneOrFail(Role, { key: 'REVIEWER' })); await em.flush()
console.log('call 12');
await db.transact({ tenant, actor }, tx => tx.execute('select status, count(*) from prospect group by status'))
console.log('call 13');
await db.transact({ tenant, actor }, tx => tx.execute('select email from prospect where score > ?', [50]))
console.log('call 14');
await db.transact({ tenant, actor }, async tx => void tx.create(Role, { key: 'ONE', name: 'One' }))
console.log('call 15');
await withTenant(db, { tenant, actor }, () => transactionHelpers.withTransaction(async tx => void tx.create(Role, { key: 'TWO', name: 'Two' })))
console.log('call 16');
await db.transact({ tenant, actor }, tx => tx.transactional(async inner => void inner.create(Role, { key: 'SIX', name: 'Six' })))
console.log('call 17');
await withRetry(() => db.transact({ tenant, actor }, async tx => tx.count(Role)), 3, 1000)
console.log('call 18');
await withTenant(db, { tenant, actor }, async em => em.count(Role))
console.log('call 19');
await withTenant(db, { tenant, actor }, async () => tenantContext.getStore())
console.log('call 20');
await createTenantClient(db, actor).forTenant(tenant).count(Role)
console.log('call 21');
await (await db.operatorScope({ kind: 'operator', actor: systemActor('report'), reason: 'a monthly report' })).count(Role)
console.log('call 22');
const params = getPaginationParams({ page: '1', limit: '20', sortBy: 'score', sortOrder: 'desc' }, { sortable: ['score', 'email'] })
console.log('call 23');
const [data, total] = await em.findAndCount(Prospect, {}, params)
console.log('call 24');
createPaginatedResponse(data, total, params)
console.log('call 25');
await withTenant(db, { tenant, actor }, () => new UserRepository().findPaginated({ page: 1, limit: 20 }))
console.log('call 26');
await new PaginatedRepository(Prospect, { sortable: ['score'] }, em).findAfter({ sortBy: 'score', limit: 2 })
console.log('call 27');
await searchProspects(em, 'ada')
console.log('call 28');
const gone = await softDelete(em, await em.findOneOrFail(Prospect, { email: 'bob@example.com' }))
console.log('call 29');
await em.find(Prospect, { status: 'NEW' })
console.log('call 30');
await em.find(Organization, withSoftDelete({ plan: 'FREE' }))
console.log('call 31');
await em.find(Prospect, {}, { filters: { live: false } })
console.log('call 32');
await restoreDeleted(em, gone)
console.log('call 33');
await restoreFromLog(em, [Role, await idOfDeletedRole()])
console.log('call 34');
await db.transact(operator, tx => cleanupExpiredSessions(tx))
console.log('call 35');
await db.transact({ tenant, actor }, tx => cleanupSoftDeletedRecords(tx, 30))
console.log('call 36');
await withTenant(db, { tenant, actor }, () => new AuthService().getUserPermissions(user))
console.log('call 37');
await can(em, user, 'role:create')
console.log('call 38');
(await checkDatabaseHealth(db)).status
console.log('call 39');
await history(em, await em.findOneOrFail(Prospect, { email: 'ada@example.com' }))
console.log('call 40');
await db.close()
console.log('call 41');