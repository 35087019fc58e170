import type { ProfileInput, ProspectInput, StepInput } from '../../src/entities.ts'

export interface InsightData {
  /** The address of the prospect whom it is about. */
  readonly about: string
  readonly kind: string
  readonly title: string
  readonly body: string
  readonly confidence: number
  readonly model: string
}

export interface SalesData {
  readonly profile: ProfileInput
  readonly prospects: readonly ProspectInput[]
  readonly sequences: readonly { readonly name: string; readonly locale: string; readonly steps: readonly StepInput[] }[]
  /** A campaign sends one of the sequences to the prospects who speak its language. One of them has answered. */
  readonly campaign: { readonly name: string; readonly sequence: string; readonly repliedBy: string; readonly reply: string }
  readonly insights: readonly InsightData[]
}

export const salesData: Readonly<Record<string, SalesData>> = {
  'demo-org': {
    profile: {
      name: 'Mid-sized software companies in Europe',
      industry: 'Software',
      sizeMin: 20,
      sizeMax: 250,
      regions: ['EU', 'UK'],
      criteria: { hosting: ['own', 'rented'] },
      weights: { industry: 30, companySize: 25, region: 20, hosting: 10, completeness: 10, engagement: 5 },
    },
    prospects: [
      {
        email: 'grace@northwind.example',
        firstName: 'Grace',
        lastName: 'Lund',
        company: 'Northwind Analytics',
        companyDomain: 'northwind.example',
        industry: 'Software',
        region: 'EU',
        companySize: 120,
        locale: 'en',
        data: { hosting: 'rented' },
      },
      {
        email: 'marc@atelier.example',
        firstName: 'Marc',
        lastName: 'Petit',
        company: 'Atelier Numérique',
        companyDomain: 'atelier.example',
        industry: 'Software',
        region: 'EU',
        companySize: 40,
        locale: 'fr',
        data: { hosting: 'own' },
      },
      {
        email: 'iris@harbour.example',
        firstName: 'Iris',
        lastName: 'Cole',
        company: 'Harbour Logistics',
        companyDomain: 'harbour.example',
        industry: 'Logistics',
        region: 'UK',
        companySize: 900,
        locale: 'en',
      },
      { email: 'info@lumen.example', company: 'Lumen', companyDomain: 'lumen.example', industry: 'Software', region: 'US', locale: 'en' },
      {
        email: 'elise@boreal.example',
        firstName: 'Élise',
        lastName: 'Tremblay',
        company: 'Boréal Santé',
        companyDomain: 'boreal.example',
        industry: 'Health',
        region: 'CA',
        companySize: 60,
        locale: 'fr',
      },
    ],
    sequences: [
      {
        name: 'First contact',
        locale: 'en',
        steps: [
          {
            position: 1,
            subject: 'An idea for {{company}}',
            bodyTemplate:
              '<p>Dear {{firstName}},</p><p>we looked at {{companyDomain}} and found three things that your visitors trip over. Shall we show you?</p>',
          },
          {
            position: 2,
            delayHours: 72,
            subject: 'Three things about {{companyDomain}}',
            bodyTemplate: '<p>Dear {{firstName}},</p><p>here is the first of them: a page that takes longer than it has to.</p>',
          },
          {
            position: 3,
            delayHours: 168,
            subject: 'Shall I stop?',
            bodyTemplate: '<p>Dear {{firstName}},</p><p>if this is not the time, one word is enough, and you won’t hear from us again.</p>',
          },
        ],
      },
      {
        name: 'Premier contact',
        locale: 'fr',
        steps: [
          {
            position: 1,
            subject: 'Une idée pour {{company}}',
            bodyTemplate:
              '<p>Bonjour {{firstName}},</p><p>nous avons regardé {{companyDomain}} et trouvé trois choses qui gênent vos visiteurs. Voulez-vous les voir ?</p>',
          },
          {
            position: 2,
            delayHours: 72,
            subject: 'Trois choses sur {{companyDomain}}',
            bodyTemplate: '<p>Bonjour {{firstName}},</p><p>voici la première : une page plus lente qu’elle ne devrait l’être.</p>',
          },
        ],
      },
    ],
    campaign: {
      name: 'New year, first contact',
      sequence: 'First contact',
      repliedBy: 'grace@northwind.example',
      reply: 'Yes, please. Thursday at ten?',
    },
    insights: [
      {
        about: 'grace@northwind.example',
        kind: 'next-step',
        title: 'Offer Northwind Analytics a demonstration this week',
        body: 'She answered within the hour and proposed a time herself; of the prospects like her who did, most became customers.',
        confidence: 0.86,
        model: 'small-1',
      },
      {
        about: 'iris@harbour.example',
        kind: 'risk',
        title: 'Harbour Logistics is larger than what you sell to',
        body: 'Nine hundred people work there. The plan that you offer ends at two hundred and fifty.',
        confidence: 0.64,
        model: 'small-1',
      },
    ],
  },
}
