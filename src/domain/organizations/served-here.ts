import type { Organization } from './organization.entity.ts'
import { WrongRegionError } from './organization.errors.ts'

type Kept = Pick<Organization, 'dataRegion'>

/** Whether an organization's data may be worked with in a region; where none is named, all are. */
export function isServedHere({ dataRegion }: Kept, region: string | undefined): boolean {
  return region === undefined || dataRegion === region
}

/** Refuses to work with data that is kept in another region: `assertServedHere(organization, daybook.region)`. */
export function assertServedHere(organization: Kept, region: string | undefined): void {
  if (region !== undefined && !isServedHere(organization, region)) throw new WrongRegionError(organization.dataRegion, region)
}
