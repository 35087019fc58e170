import { Migration20261124000001_fleet } from './migrations/Migration20261124000001_fleet.ts'
import { InspectionSchema, VehicleSchema } from './vehicle.entity.ts'

/** What this application brings to `openDaybook` and to the `mikro-orm` command. */
export const entities = [VehicleSchema, InspectionSchema]
export const migrations = [{ name: 'Migration20261124000001_fleet', class: Migration20261124000001_fleet }]
