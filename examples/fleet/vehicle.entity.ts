import { type EntitySchema, type Opt, p, type Ref } from '@mikro-orm/core'
import { DaybookError, moment, nextState, type ScopedEntityManager, Task, tenantEntity, TenantRow, type Transitions } from 'daybook'

export const vehicleStatuses = ['IN_SERVICE', 'GROUNDED', 'SOLD'] as const
export type VehicleStatus = (typeof vehicleStatuses)[number]

const transitions: Transitions<VehicleStatus> = {
  IN_SERVICE: ['GROUNDED', 'SOLD'],
  GROUNDED: ['IN_SERVICE', 'SOLD'],
  SOLD: [],
}

/** What an organization drives. It is on the road while its last inspection was passed. */
export class Vehicle extends TenantRow {
  declare plate: string
  declare model: string
  declare status: Opt<VehicleStatus>
  declare inspectedAt?: Date | null
  declare version: Opt<number>

  sell(): void {
    this.become('SOLD')
  }

  /** Passing brings it back on the road, failing takes it off. */
  inspected(passed: boolean, at: Date): void {
    if (this.status === 'SOLD') throw new VehicleSoldError(this.id)
    this.inspectedAt = at
    const status = passed ? 'IN_SERVICE' : 'GROUNDED'
    if (status !== this.status) this.become(status)
  }

  private become(status: VehicleStatus): void {
    this.status = nextState('A vehicle', transitions, this.status, status)
  }
}

/** What an inspection has found, for good: a row is never changed. */
export class Inspection extends TenantRow {
  declare vehicle: Ref<Vehicle>
  declare passed: boolean
  declare notes: string
  /** The repair that it asked for. */
  declare repair?: Ref<Task> | null
}

export class VehicleSoldError extends DaybookError {
  readonly code = 'fleet.vehicle_sold'

  constructor(vehicle: string) {
    super('A vehicle that was sold is inspected by whoever owns it now.', { vehicle })
  }
}

export const VehicleSchema: EntitySchema<Vehicle> = tenantEntity({
  class: Vehicle,
  properties: {
    plate: p.text(),
    model: p.text(),
    status: p.enum(vehicleStatuses).default('IN_SERVICE'),
    inspectedAt: moment().nullable(),
    version: p.integer().version(),
  },
  uniques: [{ properties: ['plate'] }],
  indexes: [{ properties: ['status'] }, { properties: ['inspectedAt'] }],
})

export const InspectionSchema: EntitySchema<Inspection> = tenantEntity({
  class: Inspection,
  properties: {
    vehicle: () => p.manyToOne(Vehicle).ref(),
    passed: p.boolean(),
    notes: p.text(),
    repair: () => p.manyToOne(Task).ref().nullable(),
  },
  access: 'append',
  indexes: [{ properties: ['vehicle'] }],
})

/** An inspection, what it means for the vehicle, and a task for whoever repairs it, all or nothing. */
export function inspect(em: ScopedEntityManager, vehicle: Vehicle, passed: boolean, notes: string, at: Date = new Date()): Inspection {
  vehicle.inspected(passed, at)
  const repair = passed ? null : em.create(Task, { title: `Repair ${vehicle.plate}`, description: notes, priority: 'HIGH' })
  return em.create(Inspection, { vehicle, passed, notes, repair })
}
