import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Profile, type ProspectFacts, scoreOf } from '../../src/entities.ts'

const industries = ['Software', 'Retail', 'Farming']
const regions = ['DE', 'FR', 'CA']
const parts = ['firstName', 'lastName', 'company', 'companyDomain']
const names = ['industry', 'region', 'companySize', 'completeness', 'engagement', 'usesTypeScript', 'employees.remote', 'constructor']

const optional = <T>(values: fc.Arbitrary<T>) => fc.option(values, { nil: null })
const weight = fc.oneof(fc.integer({ min: 0, max: 10 }), fc.double({ min: 0, max: 1e308, noNaN: true }))

const profiles: fc.Arbitrary<Profile> = fc.record({
  industry: optional(fc.constantFrom(...industries)),
  regions: fc.subarray(regions),
  sizeMin: optional(fc.integer({ min: 0, max: 100 })),
  sizeMax: optional(fc.integer({ min: 100, max: 1_000 })),
  criteria: fc.dictionary(fc.constantFrom('usesTypeScript', 'employees.remote', 'constructor'), fc.subarray([true, 'yes', 7])),
  weights: fc
    .dictionary(fc.constantFrom(...names), weight, { minKeys: 1 })
    .filter(weights => Object.values(weights).some(each => each > 0)),
})

const prospects: fc.Arbitrary<ProspectFacts> = fc.record({
  industry: optional(fc.constantFrom(...industries, ' software')),
  region: optional(fc.constantFrom(...regions, 'US')),
  companySize: optional(fc.integer({ min: 1, max: 2_000 })),
  data: fc.dictionary(
    fc.constantFrom('usesTypeScript', 'employees.remote', 'constructor', 'other'),
    fc.constantFrom(true, false, 'YES', 7, null),
  ),
  missing: fc.subarray(parts),
  messages: fc.record({ sent: fc.nat(20), opened: fc.nat(3), replied: fc.nat(2) }),
})

/** What brings a prospect nearer to a profile in one point. */
const improvements: Readonly<Record<string, (facts: ProspectFacts, profile: Profile) => ProspectFacts>> = {
  industry: (facts, { industry }) => ({ ...facts, industry: industry ?? facts.industry ?? null }),
  region: (facts, profile) => ({ ...facts, region: profile.regions[0] ?? facts.region ?? null }),
  companySize: (facts, { sizeMin, sizeMax }) => ({ ...facts, companySize: sizeMin || sizeMax || 1 }),
  completeness: facts => ({ ...facts, missing: facts.missing.slice(1) }),
  opened: ({ messages, ...facts }) => ({ ...facts, messages: { ...messages, opened: messages.opened + 1 } }),
  replied: ({ messages, ...facts }) => ({ ...facts, messages: { ...messages, replied: messages.replied + 1 } }),
  ownCriteria: (facts, { criteria }) => ({
    ...facts,
    data: {
      ...facts.data,
      ...Object.fromEntries(Object.entries(criteria).flatMap(([name, [first]]) => (first === undefined ? [] : [[name, first]]))),
    },
  }),
}

describe('a score', () => {
  test('lies between 0 and 100, and its breakdown adds up to it', () => {
    fc.assert(
      fc.property(prospects, profiles, (facts, profile) => {
        const { score, breakdown } = scoreOf(facts, profile)
        expect(Number.isInteger(score) && score >= 0 && score <= 100).toBe(true)
        expect(breakdown.reduce((sum, { points }) => sum + points, 0)).toBe(score)
        expect(breakdown.reduce((sum, { of }) => sum + of, 0)).toBe(100)
        for (const { points, of, why } of breakdown) {
          expect(points).toBeGreaterThanOrEqual(0)
          expect(points).toBeLessThanOrEqual(of)
          expect(why.length).toBeGreaterThan(10)
        }
      }),
      { numRuns: 1_000 },
    )
  })

  test.each(Object.entries(improvements))('is never lowered by a better %s', (_name, improve) => {
    fc.assert(
      fc.property(prospects, profiles, (facts, profile) => {
        expect(scoreOf(improve(facts, profile), profile).score).toBeGreaterThanOrEqual(scoreOf(facts, profile).score)
      }),
      { numRuns: 500 },
    )
  })

  test('of one who fits in everything is 100', () => {
    fc.assert(
      fc.property(prospects, profiles, (facts, profile) => {
        const weights = Object.fromEntries(Object.entries(profile.weights).filter(([name]) => names.slice(0, 5).includes(name)))
        fc.pre(Object.values(weights).some(each => each > 0))
        const whole = { ...profile, industry: 'Software', regions, weights, criteria: {} }
        const best = Object.values(improvements).reduce<ProspectFacts>((each, improve) => improve(each, whole), { ...facts, missing: [] })
        expect(scoreOf(best, whole).score).toBe(100)
      }),
    )
  })

  test('is the same whatever the order of the weights, and each time', () => {
    fc.assert(
      fc.property(prospects, profiles, (facts, profile) => {
        const turned = { ...profile, weights: Object.fromEntries(Object.entries(profile.weights).toReversed()) }
        expect(scoreOf(facts, turned)).toEqual(scoreOf(facts, profile))
      }),
    )
  })

  test('explains each criterion', () => {
    const profile = {
      industry: 'Software',
      regions: ['DE', 'FR'],
      sizeMin: 10,
      criteria: { usesTypeScript: [true] },
      weights: { industry: 3, region: 2, companySize: 2, completeness: 1, engagement: 1, usesTypeScript: 1 },
    }
    const facts = { industry: 'software', region: 'US', missing: ['company'], messages: { sent: 3, opened: 1, replied: 0 }, data: {} }
    expect(scoreOf(facts, profile)).toEqual({
      score: 43,
      breakdown: [
        { name: 'companySize', weight: 2, points: 0, of: 20, why: "The company's size is unknown; wanted are 10 to any number of people." },
        { name: 'completeness', weight: 1, points: 8, of: 10, why: 'Of the contact is missing: company.' },
        { name: 'engagement', weight: 1, points: 5, of: 10, why: 'Opened 1 of 3 messages and answered none.' },
        { name: 'industry', weight: 3, points: 30, of: 30, why: 'The industry is one that is wanted: Software.' },
        { name: 'region', weight: 2, points: 0, of: 20, why: 'The region is not one that is wanted: DE, FR.' },
        { name: 'usesTypeScript', weight: 1, points: 0, of: 10, why: 'The usesTypeScript is unknown; wanted: true.' },
      ],
    })
  })
})
