import type { builtinCriteria, Criteria, Weights } from './ideal-customer-profile.entity.ts'

/** What a score is made from. It names nobody: of the contact only which parts are missing. */
export interface ProspectFacts {
  readonly industry?: string | null
  readonly region?: string | null
  readonly companySize?: number | null
  readonly data?: Readonly<Record<string, unknown>>
  readonly missing: readonly string[]
  /** How many of the messages to them were opened, and answered. */
  readonly messages: { readonly sent: number; readonly opened: number; readonly replied: number }
}

export interface Profile {
  readonly industry?: string | null
  readonly sizeMin?: number | null
  readonly sizeMax?: number | null
  readonly regions: readonly string[]
  readonly criteria: Criteria
  readonly weights: Weights
}

/** What one criterion gave, of how much it could have given. */
export interface CriterionScore {
  readonly name: string
  readonly weight: number
  readonly points: number
  readonly of: number
  readonly why: string
}

export interface Score {
  /** From 0 to 100: the sum of the breakdown's points. */
  readonly score: number
  readonly breakdown: readonly CriterionScore[]
}

/** The parts of a contact that one would like to know. */
export const contactParts = ['firstName', 'lastName', 'company', 'companyDomain'] as const

/**
 * How well a prospect fits a profile. The hundred points are shared out among the criteria by weight before anybody looks at the prospect, so
 * what fits better never scores less. Whole points throughout, so that the breakdown adds up to the score exactly.
 */
export function scoreOf(facts: ProspectFacts, profile: Profile): Score {
  const breakdown = sharesOf(profile.weights).map(({ name, weight, of }) => {
    const { fit, why } = fitOf(name, facts, profile)
    return { name, weight, points: Math.round(of * fit), of, why }
  })
  return { score: breakdown.reduce((sum, { points }) => sum + points, 0), breakdown }
}

/** Shares out the hundred points; what rounding leaves over goes to those who lost most by it. In the order of names, so it is the same each time. */
function sharesOf(weights: Weights): { readonly name: string; readonly weight: number; readonly of: number }[] {
  const counted = Object.entries(weights)
    .filter(([, weight]) => weight > 0)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
  // By the largest first, since a sum of large weights may be infinite.
  const largest = Math.max(...counted.map(([, weight]) => weight))
  const sum = counted.reduce((all, [, weight]) => all + weight / largest, 0)
  const exact = counted.map(([name, weight]) => ({ name, weight, exact: ((weight / largest) * 100) / sum }))
  const left = 100 - exact.reduce((all, each) => all + Math.floor(each.exact), 0)
  const mostLost = exact.toSorted((a, b) => (b.exact % 1) - (a.exact % 1)).slice(0, left)
  return exact.map(each => ({ name: each.name, weight: each.weight, of: Math.floor(each.exact) + (mostLost.includes(each) ? 1 : 0) }))
}

interface Fit {
  /** From 0 to 1. */
  readonly fit: number
  readonly why: string
}

type Judge = (facts: ProspectFacts, profile: Profile) => Fit

const judges: Readonly<Record<(typeof builtinCriteria)[number], Judge>> = {
  industry: ({ industry }, profile) => among('industry', industry, profile.industry ? [profile.industry] : []),
  region: ({ region }, { regions }) => among('region', region, regions),
  companySize({ companySize }, { sizeMin, sizeMax }) {
    const wanted = `${sizeMin ?? 0} to ${sizeMax ?? 'any number of'} people`
    if (typeof companySize !== 'number') return { fit: 0, why: `The company's size is unknown; wanted are ${wanted}.` }
    const fits = companySize >= (sizeMin ?? 0) && companySize <= (sizeMax ?? Number.POSITIVE_INFINITY)
    return { fit: fits ? 1 : 0, why: `${companySize} people work there; wanted are ${wanted}.` }
  },
  completeness({ missing }) {
    const absent = contactParts.filter(part => missing.includes(part))
    const why = absent.length > 0 ? `Of the contact is missing: ${absent.join(', ')}.` : 'The contact is complete.'
    return { fit: 1 - absent.length / contactParts.length, why }
  },
  engagement({ messages: { sent, opened, replied } }) {
    if (replied > 0) return { fit: 1, why: `Answered ${replied} of ${sent} messages.` }
    if (opened > 0) return { fit: 0.5, why: `Opened ${opened} of ${sent} messages and answered none.` }
    return { fit: 0, why: sent > 0 ? `Opened none of ${sent} messages.` : 'No message was sent yet.' }
  },
}

function fitOf(name: string, facts: ProspectFacts, profile: Profile): Fit {
  if (Object.hasOwn(judges, name)) return judges[name as keyof typeof judges](facts, profile)
  return among(name, own(facts.data ?? {}, name), own(profile.criteria, name) ?? [])
}

/** Names are anybody's, and every object has some that nobody gave it. */
function own<T>(values: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(values, name) ? values[name] : undefined
}

function among(what: string, value: unknown, wanted: readonly (string | number | boolean)[]): Fit {
  const list = wanted.join(', ')
  if (wanted.length === 0) return { fit: 0, why: `The profile wants no ${what} in particular.` }
  if (value === null || value === undefined || value === '') return { fit: 0, why: `The ${what} is unknown; wanted: ${list}.` }
  const fits = wanted.some(each => comparable(each) === comparable(value))
  return { fit: fits ? 1 : 0, why: `The ${what} is ${fits ? '' : 'not '}one that is wanted: ${list}.` }
}

/** What people type is the same in whatever case. */
function comparable(value: unknown): unknown {
  return typeof value === 'string' ? value.trim().toLowerCase() : value
}
