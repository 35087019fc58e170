import { randomBytes } from 'node:crypto'
import { CompiledQuery } from 'kysely'
import { systemActor } from '../../src/context/index.ts'
import { ConfigurationError } from '../../src/config.ts'
import type { Daybook, ScopedEntityManager } from '../../src/orm/index.ts'
import { recordSeedRun } from '../record-seed-run.ts'
import { countsOf, fewestRows, mix } from './mix.ts'
import { sharesOf, type VolumeProfile } from './profiles.ts'
import { type VolumeTable, VolumeRows } from './volume-table.ts'
import { ensureTenant, type VolumeTenant } from './volume-tenant.ts'

export interface VolumeProgress {
  readonly of: number
  readonly written: number
  /** Found there from a run before this one. */
  readonly found: number
}

export interface FillOptions {
  readonly profile: VolumeProfile
  /** The same seed writes the same rows, so a run that was stopped goes on, and one that is done changes nothing. */
  readonly seed?: string
  readonly password?: string
  readonly onProgress?: (progress: VolumeProgress) => void
  /** Tenants at a time. */
  readonly workers?: number
  readonly batch?: number
}

/**
 * Fills tenants with rows of every area, as the application's role and under its policies, one transaction a batch. What is in memory is one
 * batch for each worker, however many rows there are.
 */
export async function fillVolume(daybook: Daybook, options: FillOptions): Promise<VolumeProgress> {
  const { profile, password = randomBytes(12).toString('base64url'), onProgress, workers = 3, batch = 2_000 } = options
  const seed = `${options.seed ?? profile.name}-${profile.tenants}-${profile.rows}`
  let [written, found] = [0, 0]
  const tell = (rows: number, isNew: boolean) => {
    if (isNew) written += rows
    else found += rows
    onProgress?.({ of: profile.rows, written, found })
  }
  const shares = sharesOf(profile)
  if (shares.at(-1)! < fewestRows) {
    const problem = `${profile.rows} rows are too few for ${profile.tenants} tenants: the smallest would have ${shares.at(-1)}, and needs ${fewestRows}.`
    throw new ConfigurationError([problem])
  }
  const left = [...shares.entries()]
  const work = async () => {
    for (let next = left.shift(); next; next = left.shift()) {
      const [index, rows] = next
      const tenant = await ensureTenant(daybook, seed, index, password)
      await fillTenant(daybook, { tenant, rows, seed, batch, tell })
    }
  }
  await Promise.all(Array.from({ length: daybook.embedded ? 1 : workers }, work))
  const data = { profile, mix: mix.map(({ entity, share }) => [entity.name, share]) }
  await recordSeedRun(daybook, { seeder: 'volume', data, mode: profile.name, rows: written })
  return { of: profile.rows, written, found }
}

interface TenantFill {
  readonly tenant: VolumeTenant
  readonly rows: number
  readonly seed: string
  readonly batch: number
  readonly tell: (rows: number, isNew: boolean) => void
}

async function fillTenant(daybook: Daybook, { tenant, rows: share, seed, batch, tell }: TenantFill): Promise<void> {
  const all = new Map<VolumeTable, VolumeRows>()
  for (const [table, count] of countsOf(share)) all.set(table, new VolumeRows(table, count, tenant, seed, other => all.get(other)!))
  const scope = { tenant: tenant.id, actor: systemActor('seeder:volume'), reason: 'volume data' }
  for (const rows of all.values()) {
    for (let from = 0; from < rows.count; from += batch) {
      const until = Math.min(from + batch, rows.count)
      tell(until - from, await daybook.transact(scope, em => ensureBatch(em, rows, from, until)))
    }
  }
}

/** A batch is there wholly or not at all, so its first row tells. Whether it was written now. */
async function ensureBatch(em: ScopedEntityManager, rows: VolumeRows, from: number, until: number): Promise<boolean> {
  const { entity } = rows.table
  if (await em.findOne(entity, { id: rows.id(from) }, { fields: ['id'], filters: false })) return false
  const batch = Array.from({ length: until - from }, (_, index) => rows.row(from + index))
  const meta = em.getMetadata(entity)
  const names = Object.keys(batch[0]!)
  const columns = names.map(name => meta.properties[name as never] as { fieldNames: string[] }).map(({ fieldNames }) => fieldNames[0]!)
  const list = columns.map(column => `"${column}"`).join(', ')
  const json = JSON.stringify(batch.map(row => Object.fromEntries(names.map((name, index) => [columns[index], row[name]]))))
  const table = `"${meta.tableName}"`
  // One statement and one value: the guards look once, and the log is told once.
  const sql = `insert into ${table} (${list}) select ${list} from json_populate_recordset(null::${table}, $1)`
  await em.getKysely().executeQuery(CompiledQuery.raw(sql, [json]))
  return true
}
