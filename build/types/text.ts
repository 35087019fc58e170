import { dirname, relative } from 'node:path/posix'
import type { Declarations, Meaning, Text } from './declarations.ts'
import { freeName, isWithin, type Published } from './layout.ts'

/** Writes a declaration file, each name as it is called there. */
export function textOf(file: Published, files: readonly Published[], declarations: Declarations): string {
  const names = new Names(file, declarations.globals)
  const isInPlace = (meaning: Meaning) => file.exports.get(names.of(meaning)) === meaning && !file.typesOnly.has(names.of(meaning))
  const statements = [...file.declares].flatMap(meaning =>
    declarations.textsOf(meaning).map(text => statementOf(text, names, isInPlace(meaning))),
  )
  const own = [...file.exports].filter(
    ([name, meaning]) => file.declares.has(meaning) && !(names.of(meaning) === name && isInPlace(meaning)),
  )
  const imported = [...names.imported].map(([meaning, name]) => [name, meaning] as const)
  return [
    ...list('import', homesOf(imported, file, files)),
    ...passedOn(file, files),
    ...statements,
    // Without it everything that stands here would be exported.
    `export {${own.map(([name, meaning]) => ` ${as(names.of(meaning), name, file)}`).join()} };\n`,
  ].join('')
}

type Given = readonly [name: string, meaning: Meaning]

/** What an entry exports and another file declares. */
function passedOn(file: Published, files: readonly Published[]): string[] {
  const others = [...file.exports].filter(([, meaning]) => !file.declares.has(meaning))
  const passesOn = ({ exports, typesOnly }: Published, [name, meaning]: Given) =>
    exports.get(name) === meaning && typesOnly.has(name) === file.typesOnly.has(name)
  // A name that means something else here is exported by itself, which comes before what is passed on.
  const wholes = files.filter(other => other !== file && isWithin(other.exports, file.exports) && others.some(one => passesOn(other, one)))
  const rest = others.filter(one => !wholes.some(whole => passesOn(whole, one)))
  return [...wholes.map(whole => `export * from '${pathTo(whole.file, file.file)}';\n`), ...list('export', homesOf(rest, file, files))]
}

/** By module: what is called there as, and what as here. */
function homesOf(given: readonly Given[], file: Published, files: readonly Published[]): Map<string, string[]> {
  const homes = new Map<string, string[]>()
  for (const [name, meaning] of given) {
    const [module, there] = homeOf(meaning, file, files)
    homes.set(module, [...(homes.get(module) ?? []), as(there, name, file)])
  }
  return homes
}

function homeOf(meaning: Meaning, { file }: Published, files: readonly Published[]): [module: string, name: string] {
  if (meaning.module) return [meaning.module, meaning.name]
  const home = files.find(({ declares }) => declares.has(meaning))!
  const [name] = [...home.exports].find(([, exported]) => exported === meaning)!
  return [pathTo(home.file, file), name]
}

function list(word: 'import' | 'export', homes: ReadonlyMap<string, readonly string[]>): string[] {
  return [...homes].map(([module, names]) => `${word} { ${names.toSorted().join(', ')} } from '${module}';\n`)
}

function as(there: string, here: string, { typesOnly }: Published): string {
  return `${typesOnly.has(here) ? 'type ' : ''}${there === here ? here : `${there} as ${here}`}`
}

function pathTo(file: string, from: string): string {
  const path = relative(dirname(from), file).replace(/\.d\.ts$/, '.js')
  return path.startsWith('.') ? path : `./${path}`
}

/** What each thing is called in one file: as it is where it can be, and otherwise with a number. */
class Names {
  readonly imported = new Map<Meaning, string>()
  readonly #names = new Map<Meaning, string>()
  readonly #taken: Map<string, unknown>

  constructor({ exports, declares }: Published, globals: ReadonlySet<string>) {
    this.#taken = new Map([...globals].map(name => [name, true]))
    for (const [name, meaning] of exports) if (declares.has(meaning)) this.#name(meaning, name)
    for (const meaning of declares) this.#name(meaning, meaning.name)
  }

  of(meaning: Meaning): string {
    const known = this.#names.get(meaning)
    if (known !== undefined) return known
    this.imported.set(meaning, this.#name(meaning, meaning.name))
    return this.of(meaning)
  }

  #name(meaning: Meaning, wanted: string): string {
    const name = this.#names.get(meaning) ?? freeName(this.#taken, wanted)
    this.#taken.set(name, meaning)
    this.#names.set(meaning, name)
    return name
  }
}

function statementOf({ written, start, spots }: Text, names: Names, exported: boolean): string {
  let text = written
  for (const { start: from, end, meaning } of spots.toReversed()) text = text.slice(0, from) + names.of(meaning) + text.slice(end)
  const comment = text.slice(0, start).trimStart()
  const declaration = text.slice(start).replace(/^export /, '')
  return `${narrow(comment)}${exported ? 'export ' : ''}${narrow(named(declaration))}\n`
}

/** A parameter that is taken apart has a name for whoever reads of it: its type's. */
function named(declaration: string): string {
  return declaration.replaceAll(/\{ [\w, ]+ \}(\??: )([A-Z]\w*)(?![\w<])/g, (pattern, colon: string, type: string) => {
    const name = type.endsWith('Options') ? 'options' : `${type[0]!.toLowerCase()}${type.slice(1)}`
    return new RegExp(String.raw`\b${name}\??: `).test(declaration) ? pattern : `${name}${colon}${type}`
  })
}

/** The compiler indents by four. */
function narrow(text: string): string {
  return text.replaceAll(/^(?: {4})+/gm, indent => indent.slice(indent.length / 2))
}
