import type { FastifyRequest } from 'fastify'
import { type Locale, locales } from '../../domain/identity/index.ts'
import { knownOf } from '../request-state.ts'
import { en } from './en.ts'
import { fr } from './fr.ts'
import type { Language } from './language.ts'

export type { Language } from './language.ts'

const languages: Readonly<Record<Locale, Language>> = { en, fr }

/** The language of a locale like `fr-CA`; English where it isn't spoken here. */
export function languageNamed(locale: string | null | undefined): Language {
  return languages[spoken(locale ?? '') ?? 'en']
}

/** The one that is asked for, else the person's own, else the organization's. */
export function languageOf(request: FastifyRequest): Language {
  const { principal, organizationLocale } = knownOf(request)
  const person = principal?.kind === 'person' ? principal.user.locale : undefined
  return languages[languageAsked(request) ?? spoken(person) ?? spoken(organizationLocale) ?? 'en']
}

/** The best that `Accept-Language` names of those that are spoken here. */
export function languageAsked({ headers }: Pick<FastifyRequest, 'headers'>): Locale | undefined {
  const wishes = (headers['accept-language'] ?? '').slice(0, 500).split(',').map(wishIn)
  return wishes
    .filter(({ weight }) => weight > 0)
    .toSorted((a, b) => b.weight - a.weight)
    .map(({ tag }) => spoken(tag))
    .find(Boolean)
}

function wishIn(text: string): { tag: string; weight: number } {
  const [tag = '', ...parameters] = text.split(';').map(part => part.trim())
  const weight = parameters.find(parameter => parameter.startsWith('q='))?.slice(2)
  return { tag, weight: weight === undefined ? 1 : Number(weight) || 0 }
}

function spoken(locale = ''): Locale | undefined {
  const [language] = locale.toLowerCase().split(/[-_]/)
  return locales.find(each => each === language)
}
