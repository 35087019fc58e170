export interface VolumeProfile {
  readonly name: string
  readonly tenants: number
  /** Of all tenants together, without those that each begins with. */
  readonly rows: number
}

const profiles = {
  small: { tenants: 3, rows: 1_000 },
  '10k': { tenants: 10, rows: 10_000 },
  '1m': { tenants: 100, rows: 1_000_000 },
} as const

export type ProfileName = keyof typeof profiles
export const profileNames = Object.keys(profiles) as ProfileName[]

export function isProfileName(name: string): name is ProfileName {
  return Object.hasOwn(profiles, name)
}

export function profileNamed(name: ProfileName, changes: { readonly tenants?: number; readonly rows?: number } = {}): VolumeProfile {
  return { name, ...profiles[name], ...changes }
}

/** How many rows each tenant gets: few have many and many have few, the second half as many as the first, the third a third. */
export function sharesOf({ tenants, rows }: VolumeProfile): number[] {
  const weights = Array.from({ length: tenants }, (_, index) => 1 / (index + 1))
  const sum = weights.reduce((all, weight) => all + weight, 0)
  const shares = weights.map(weight => Math.floor((rows * weight) / sum))
  shares[0]! += rows - shares.reduce((all, share) => all + share, 0)
  return shares
}
