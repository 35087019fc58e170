import { ContentEntry, User } from '../../src/entities.ts'
import { now } from '../../src/kernel/clock.ts'
import { demoArea } from './demo-area.ts'

interface EntryData {
  readonly type: string
  readonly slug: string
  readonly locale: string
  readonly title: string
  readonly body: string
}

const data: Readonly<Record<string, readonly EntryData[]>> = {
  'demo-org': [
    {
      type: 'page',
      slug: 'about',
      locale: 'en',
      title: 'Who we are',
      body: 'We look at websites as their visitors do, and say what keeps people out, what makes them wait and what puts them at risk.',
    },
    {
      type: 'page',
      slug: 'about',
      locale: 'fr',
      title: 'Qui nous sommes',
      body: 'Nous regardons les sites comme leurs visiteurs, et nous disons ce qui les exclut, ce qui les fait attendre et ce qui les met en danger.',
    },
    {
      type: 'post',
      slug: 'opening-hours',
      locale: 'en',
      title: 'Opening hours in January',
      body: 'We answer from Monday to Friday, from nine to five.',
    },
    {
      type: 'post',
      slug: 'opening-hours',
      locale: 'fr',
      title: 'Nos heures d’ouverture en janvier',
      body: 'Nous répondons du lundi au vendredi, de neuf heures à dix-sept heures.',
    },
  ],
}

/** Pages that are published, each in English and in French. */
export const content = demoArea('content', data, (work, entries) =>
  work.transact(async demo => {
    const { em } = demo
    for (const entry of entries) {
      const { type, slug, locale } = entry
      await demo.ensure(ContentEntry, { type, slug, locale }, () => {
        const made = em.create(ContentEntry, { ...entry, author: em.getReference(User, work.owner) })
        made.publish(now())
        return made
      })
    }
  }),
)
