import type { ScopedEntityManager } from '../orm/index.ts'
import type { Projection } from './rebuild.ts'

/** How many events of each type each actor caused on each day (UTC), kept by following the log. */
export interface ActivityOfDay {
  readonly day: string
  readonly actorType: string
  readonly actorId: string
  readonly type: string
  readonly events: number
}

export const activityPerDay: Projection = {
  name: 'activity-per-day',

  handle: async (events, em) => {
    const rows = Map.groupBy(events, ({ tenantId, recordedAt, actorType, actorId, type }) =>
      JSON.stringify([tenantId, recordedAt.toISOString().slice(0, 10), actorType, actorId, type]),
    )
    const counted = [...rows].map(([key, of]) => [...(JSON.parse(key) as string[]), of.length])
    // In one order, so that two followers of different tenants can't wait for each other.
    counted.sort((a, b) => (a.join() < b.join() ? -1 : 1))
    await em.execute(
      `insert into activity_per_day (tenant_id, day, actor_type, actor_id, type, events)
         select (r->>0)::uuid, (r->>1)::date, r->>2, r->>3, r->>4, (r->>5)::bigint from json_array_elements(?::json) as r
         on conflict (tenant_id, day, actor_type, actor_id, type) do update set events = activity_per_day.events + excluded.events`,
      [JSON.stringify(counted)],
    )
  },

  clear: async em => {
    await em.execute('delete from activity_per_day')
  },
}

export async function activityOf(em: ScopedEntityManager, since: string): Promise<ActivityOfDay[]> {
  return em.execute(
    `select day::text, actor_type as "actorType", actor_id as "actorId", type, events::int from activity_per_day where day >= ?::date order by day, type, actor_id`,
    [since],
  )
}
