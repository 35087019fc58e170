import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Organization, Pipeline, Role, User } from '../../src/entities.ts'
import { userActor } from '../../src/context/index.ts'
import { languageAsked } from '../../src/http/languages/index.ts'
import { Caller, openTestHost, password, roleIdOf, type SignedUp, tokenFor, type TestHost } from '../http/test-host.ts'

let on: TestHost
let claire: SignedUp
let ann: SignedUp
beforeAll(async () => {
  on = await openTestHost()
  claire = await signUpIn('fr-CA,fr;q=0.9', 'claire@example.com', 'Érable')
  ann = await signUpIn('en', 'ann@example.com', 'Acme')
})
afterAll(() => on[Symbol.asyncDispose]())

async function signUpIn(language: string, email: string, organization: string): Promise<SignedUp> {
  const caller = new Caller(on, { 'accept-language': language })
  const made = (await caller.post('/auth/sign-up', { email, password, organization: { name: organization } })).json()
  const signedIn = new Caller(on)
  await signedIn.signIn(email)
  return { caller: signedIn, user: made.user.id, organization: made.organization.id }
}

const missing = '/organizations/current/roles/00000000-0000-4000-8000-000000000000'
const asking = (language: string) => ({ headers: { 'accept-language': language } })

describe('a problem', () => {
  test('is told in the language that is asked for, and its codes stay', async () => {
    const english = await ann.caller.call('GET', missing, asking('en-GB'))
    const french = await ann.caller.call('GET', missing, asking('de, fr-FR;q=0.8, en;q=0.5'))
    expect([english.headers['content-language'], french.headers['content-language']]).toEqual(['en', 'fr'])
    expect(french.json()).toMatchObject({ title: 'Introuvable', detail: 'Il n’existe rien de tel ici\u00A0: rôle.' })
    expect(english.json()).toMatchObject({ title: 'Not Found', detail: 'There is no such role here.' })
    const machineReadable = ({ type, status, code }: { type: string; status: number; code: string }) => ({ type, status, code })
    expect(machineReadable(french.json())).toEqual(machineReadable(english.json()))
  })

  test('is told to a person in their own language when they ask for none', async () => {
    expect((await claire.caller.get(missing)).json()).toMatchObject({ title: 'Introuvable' })
    expect((await ann.caller.get(missing)).json()).toMatchObject({ title: 'Not Found' })
    expect((await claire.caller.call('GET', missing, asking('en'))).json()).toMatchObject({ title: 'Not Found' })
    expect((await claire.caller.call('GET', missing, asking('de'))).json()).toMatchObject({ title: 'Introuvable' })
  })

  test('is told to a program in the language of its organization', async () => {
    const issued = await claire.caller.post('/organizations/current/api-keys', { name: 'CI', environment: 'TEST', scopes: ['role:read'] })
    const program = new Caller(on, { authorization: `Bearer ${issued.json().secret}` })
    const refused = await program.post('/organizations/current/roles', { key: 'REVIEWER', name: 'R' })
    expect(refused.statusCode).toBe(403)
    expect(refused.json().detail).toMatch(/^Cette action demande l’autorisation role:create\./)
    const unknown = await program.get(missing)
    expect(unknown.headers['content-language']).toBe('fr')
  })

  test('is English for strangers who ask for nothing, wherever it happens', async () => {
    const stranger = new Caller(on)
    expect((await stranger.get('/me')).json()).toMatchObject({ title: 'Unauthorized' })
    expect((await stranger.call('GET', '/me', asking('fr'))).json()).toMatchObject({ title: 'Authentification requise' })
    expect((await stranger.call('GET', '/nowhere', asking('fr'))).json()).toMatchObject({ detail: 'Aucune route ne répond à ce chemin.' })
    const unreadable = await stranger.call('POST', '/auth/sign-in', { payload: '{', ...asking('fr') })
    expect(unreadable.json()).toMatchObject({ code: 'http.invalid_request', detail: expect.stringMatching(/^La requête est illisible/) })
    expect((await stranger.call('GET', '/%zz', asking('fr'))).json()).toMatchObject({ title: 'Requête incorrecte' })
  })

  test('says in French where a request is wrong, at the same places', async () => {
    const body = { email: 1, organization: { name: '' }, extra: true }
    const inLanguage = async (language: string) => {
      const answer = await new Caller(on).call('POST', '/auth/sign-up', { payload: body, ...asking(language) })
      return answer.json<{ errors: { pointer: string; detail: string; in: string }[] }>().errors
    }
    const [english, french] = [await inLanguage('en'), await inLanguage('fr')]
    expect(french.map(({ pointer, in: part }) => [pointer, part])).toEqual(english.map(({ pointer, in: part }) => [pointer, part]))
    expect(french.filter(({ detail }, index) => detail === english[index]!.detail)).toEqual([])
    expect(french).toContainEqual({ pointer: '#/password', detail: 'est obligatoire', in: 'body' })
    expect(french).toContainEqual({ pointer: '#/email', detail: 'doit être une chaîne de caractères', in: 'body' })
    expect(Object.keys(french[0]!).toSorted()).toEqual(['detail', 'in', 'pointer'])
  })

  test('that nobody outside can help tells no more in French', async () => {
    const { problemOf } = await import('../../src/http/problem-of.ts')
    const { EmbeddedDatabaseInUseError } = await import('../../src/orm/index.ts')
    const { fr } = await import('../../src/http/languages/fr.ts')
    const parts = problemOf(new EmbeddedDatabaseInUseError('/secret/place', 4711))
    expect(fr.detail(parts)).toBe(
      'Le service est trop sollicité ou sa base de données indisponible pour le moment. Rien n’a été modifié\u202F; réessayez dans un instant.',
    )
    expect(fr.detail(problemOf(new TypeError('secret')))).not.toContain('secret')
  })
})

describe('a mail', () => {
  test('is written in the language of whoever gets it', async () => {
    const subjects = (to: string) => on.mails.filter(mail => mail.to === to).map(({ subject }) => subject)
    expect(subjects('claire@example.com')).toEqual(['Confirmez votre adresse e-mail'])
    expect(subjects('ann@example.com')).toEqual(['Confirm your e-mail address'])
    const stranger = new Caller(on, { 'accept-language': 'en' })
    await stranger.post('/auth/forgot-password', { email: 'claire@example.com' })
    await expect.poll(() => subjects('claire@example.com').at(-1)).toBe('Choisissez un nouveau mot de passe')
    const token = tokenFor(on.mails, 'claire@example.com')
    expect((await stranger.post('/auth/reset-password', { token, password: 'another long sentence' })).statusCode).toBe(204)
    await claire.caller.signIn('claire@example.com', 'another long sentence')
  })

  test('to somebody who is invited is written in the organization’s', async () => {
    const role = await roleIdOf(claire.caller, 'VIEWER')
    await claire.caller.post('/organizations/current/invitations', { email: 'guest@example.com', role })
    expect(on.mails.at(-1)).toMatchObject({ to: 'guest@example.com', subject: 'Vous êtes invité(e) à rejoindre Érable' })
  })
})

test('an organization that is made in French begins in French', async () => {
  const seen = (of: SignedUp) =>
    on.daybook.transact({ tenant: of.organization, actor: userActor(of.user) }, async em => [
      (await em.findOneOrFail(Organization, of.organization)).defaultLocale,
      (await em.findOneOrFail(User, of.user)).locale,
      (await em.findOneOrFail(Role, { key: 'OWNER' })).name,
      (await em.findOneOrFail(Pipeline, { key: 'sales' })).name,
    ])
  expect(await seen(claire)).toEqual(['fr', 'fr', 'Propriétaire', 'Ventes'])
  expect(await seen(ann)).toEqual(['en', 'en', 'Owner', 'Sales'])
})

test.each([
  ['fr', 'fr'],
  ['FR-ca', 'fr'],
  ['de, fr;q=0.1', 'fr'],
  ['en;q=0.5, fr;q=0.9', 'fr'],
  ['en, fr', 'en'],
  ['fr;q=0, en;q=0.1', 'en'],
  ['fr;q=0', undefined],
  ['*', undefined],
  ['de', undefined],
  ['', undefined],
  ['frisian', undefined],
  ['fr;q=nonsense', undefined],
  [';;;,,,q=,', undefined],
])('Accept-Language: %s asks for %s', (header, language) => {
  expect(languageAsked({ headers: { 'accept-language': header } })).toBe(language)
})
