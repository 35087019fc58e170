import { globSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { describe, expect, test } from 'vitest'
import { builtinRoles } from '../../src/domain/access/builtin-roles.ts'
import { frenchRoles } from '../../src/domain/access/builtin-roles.fr.ts'
import { builtinPipelines, builtinTemplates } from '../../src/domain/work/builtin-work.ts'
import { frenchPipelines, frenchTemplates } from '../../src/domain/work/builtin-work.fr.ts'
import { en } from '../../src/http/languages/en.ts'
import { frenchProblems } from '../../src/http/languages/fr-problems.ts'
import { fr, phrases } from '../../src/http/languages/fr.ts'
import { knownCodes, statusOfCode } from '../../src/http/index.ts'
import { DaybookError } from '../../src/kernel/error.ts'

/** Stands for whatever an error is given: text, a list, a number, a date. */
class Given extends String {
  map(): string[] {
    return [String(this)]
  }
  join(): string {
    return String(this)
  }
  toISOString(): string {
    return String(this)
  }
}

type ErrorClass = new (...given: unknown[]) => DaybookError

/** Every class of error in the product. */
const files = globSync('{src,seeders}/**/*.ts').filter(file => /extends DaybookError/.test(readFileSync(file, 'utf8')))
const modules: Record<string, unknown>[] = await Promise.all(files.map(file => import(pathToFileURL(resolve(file)).href)))
const classes = [...new Set(modules.flatMap(module => Object.values(module)).filter(isErrorClass))]

function isErrorClass(value: unknown): value is ErrorClass {
  return typeof value === 'function' && value.prototype instanceof DaybookError
}

/** An error whose every part can be found again in its message. */
function made(Class: ErrorClass): DaybookError {
  return new Class(...Array.from({ length: 6 }, (_, index) => new Given(`given${index}`)))
}

/** What a translation asks the details for. */
function askedFor(code: string, details: object): Set<string> {
  const asked = new Set<string>()
  const watched = new Proxy(details, {
    get(target, name, receiver) {
      asked.add(String(name))
      return Reflect.get(target, name, receiver) as unknown
    },
  })
  frenchProblems[code]!(watched as never)
  return asked
}

const sorted = (codes: Iterable<string>) => [...new Set(codes)].toSorted()
/** What the ORM, Fastify or nobody in particular refuses: without details, or with those of another error of the same code. */
const withoutClass = ['http.unreadable_request', 'internal']

test('each code has its French, and nothing else has', () => {
  expect(classes.length).toBeGreaterThan(100)
  const codes = [...knownCodes(), ...classes.map(Class => made(Class).code), ...withoutClass]
  expect(sorted(Object.keys(frenchProblems))).toEqual(sorted(codes))
})

describe.each(classes.map(Class => [made(Class).code, Class] as const))('%s', (code, Class) => {
  const error = made(Class)
  const asked = askedFor(code, error.details)

  test('is told in French with what the error knows', () => {
    expect([...asked].filter(name => !(name in error.details))).toEqual([])
    expect(frenchProblems[code]!(error.details).length).toBeGreaterThan(10)
  })

  test('loses nothing that English says', () => {
    // Of a base class without words of its own the message is whatever it is given.
    if (error.message === 'given0') return
    const told = Object.entries(error.details).filter(([, value]) => error.message.includes(String(value)))
    const words = frenchProblems[code]!(error.details)
    expect(told.filter(([name, value]) => !asked.has(name) || (value instanceof Given && !words.includes(String(value))))).toEqual([])
  })
})

test('French punctuation has the spaces that it needs, and they don’t break', () => {
  const texts = [
    ...classes.map(made).map(({ code, details }) => frenchProblems[code]!(details)),
    ...withoutClass.map(code => frenchProblems[code]!({})),
    ...Object.values(mailsIn(fr)).flatMap(({ subject, text }) => [subject, text.split('\n\nPOST')[0]!]),
    ...Object.values(frenchPipelines).flatMap(({ name, stages }) => [name, ...Object.values(stages)]),
    ...Object.values(frenchTemplates).flatMap(({ name, title, checklist = [] }) => [name, title, ...checklist]),
  ]
  expect(texts.length).toBeGreaterThan(150)
  for (const text of texts) {
    expect(text).not.toMatch(/ [;:!?»]|« /)
    expect(text).not.toMatch(/[^\u202F\s][;!?](?=\s|$)/)
    expect(text).not.toMatch(/\w'\w/)
    expect(text).not.toMatch(/undefined|\[object/)
  }
})

test('each status has a French title of its own', () => {
  const statuses = [...new Set(knownCodes().map(code => statusOfCode(code)!))]
  expect(statuses.filter(status => fr.title(status) === 'Erreur')).toEqual([])
  expect(statuses.filter(status => fr.title(status) === en.title(status))).toEqual([])
})

test('what the host complains about by itself has its French', () => {
  const sources = globSync('src/http/**/*.ts')
    .filter(file => !file.includes('languages'))
    .map(file => readFileSync(file, 'utf8'))
    .join('\n')
  const literals = [
    ...sources.matchAll(/\bdetail: (['`])(.+?)\1, in: /g),
    ...sources.matchAll(/\binvalidQuery\([^,]+, (['`])(.+?)\1\)/g),
    ...sources.matchAll(/\bunknownField = (['`])(.+?)\1/g),
  ].map(([, , text]) => text!.replaceAll(/\$\{.+?\}/g, 'this'))
  expect(literals.length).toBeGreaterThanOrEqual(8)
  expect(literals.filter(text => !phrases.some(([pattern]) => pattern.test(text)))).toEqual([])
  expect(phrases.filter(([pattern]) => !literals.some(text => pattern.test(text))).map(String)).toEqual([])
})

test('both languages mail the same', () => {
  for (const [name, mail] of Object.entries(mailsIn(fr))) {
    const english = mailsIn(en)[name as keyof ReturnType<typeof mailsIn>]
    for (const part of ['the-token', /POST \S+/.exec(english.text)![0]]) expect(mail.text).toContain(part)
    expect(mail.subject).not.toBe(english.subject)
  }
})

test('what an organization begins with has its French, key by key', () => {
  expect(Object.keys(frenchRoles).toSorted()).toEqual(builtinRoles.map(({ key }) => key).toSorted())
  expect(Object.keys(frenchTemplates).toSorted()).toEqual(builtinTemplates.map(({ key }) => key).toSorted())
  expect(Object.keys(frenchPipelines).toSorted()).toEqual(builtinPipelines.map(({ key }) => key).toSorted())
  for (const { key, stages, routing } of builtinPipelines) {
    expect(Object.keys(frenchPipelines[key]!.stages)).toEqual(stages.map(stage => stage.key))
    expect(frenchPipelines[key]!.words?.length).toBe(routing?.words?.length)
  }
  for (const { key, definition } of builtinTemplates) {
    const { title, checklist } = frenchTemplates[key]!
    expect(title.match(/{{\w+}}/g)).toEqual(definition.title.match(/{{\w+}}/g))
    expect(checklist?.length).toBe(definition.checklist?.length)
  }
})

function mailsIn({ mails }: typeof fr) {
  return {
    verification: mails.verification('the-token'),
    passwordReset: mails.passwordReset('the-token'),
    invitation: mails.invitation('Acme', 'the-token'),
  }
}
