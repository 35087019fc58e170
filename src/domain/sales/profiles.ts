import type { ScopedEntityManager } from '../../orm/index.ts'
import { builtinCriteria, IdealCustomerProfile, type Weights } from './ideal-customer-profile.entity.ts'
import { ProfileInvalidError } from './sales.errors.ts'
import type { Profile } from './score-of.ts'

export interface ProfileInput extends Partial<Profile> {
  readonly name: string
  readonly weights: Weights
}

export function createProfile(em: ScopedEntityManager, { regions = [], criteria = {}, ...input }: ProfileInput): IdealCustomerProfile {
  const profile = { ...input, regions: [...regions], criteria }
  refuse(problemsOf(profile))
  return em.create(IdealCustomerProfile, profile)
}

/** Prospects keep the scores that they have until they are scored again. */
export function reviseProfile(profile: IdealCustomerProfile, changes: Partial<ProfileInput>): void {
  const { name, industry = null, sizeMin = null, sizeMax = null, regions, criteria, weights } = profile
  const revised = { name, industry, sizeMin, sizeMax, regions, criteria, weights, ...changes }
  refuse(problemsOf(revised))
  Object.assign(profile, { ...revised, regions: [...revised.regions] })
}

function refuse(problems: readonly string[]): void {
  if (problems.length > 0) throw new ProfileInvalidError(problems)
}

function problemsOf(profile: Profile): string[] {
  const weights = Object.entries(profile.weights)
  return [
    ...weights
      .filter(([, weight]) => !(Number.isFinite(weight) && weight >= 0))
      .map(([name]) => `the weight of ${name} is no number from 0 up`),
    ...(weights.some(([, weight]) => weight > 0) ? [] : ['no weight is above 0']),
    ...sizeProblems(profile),
    ...Object.keys(profile.criteria)
      .filter(name => (builtinCriteria as readonly string[]).includes(name))
      .map(name => `${name} has a meaning of its own, so it can't be a criterion`),
    ...weights
      .filter(([name, weight]) => weight > 0 && !asksFor(profile, name))
      .map(([name]) => `${name} has a weight, and the profile doesn't say what is wanted`),
  ]
}

function sizeProblems({ sizeMin, sizeMax }: Profile): string[] {
  if (!isSize(sizeMin) || !isSize(sizeMax)) return ['a size is no whole number from 0 up']
  return typeof sizeMin === 'number' && typeof sizeMax === 'number' && sizeMin > sizeMax ? ['sizeMin is above sizeMax'] : []
}

function isSize(size: number | null | undefined): boolean {
  return size === null || size === undefined || (Number.isInteger(size) && size >= 0)
}

/** A weight without something to measure would only lower every score. */
function asksFor({ industry, regions, sizeMin, sizeMax, criteria }: Profile, name: string): boolean {
  if (name === 'completeness' || name === 'engagement') return true
  if (name === 'industry') return Boolean(industry)
  if (name === 'region') return regions.length > 0
  if (name === 'companySize') return typeof sizeMin === 'number' || typeof sizeMax === 'number'
  return Object.hasOwn(criteria, name) && criteria[name]!.length > 0
}
