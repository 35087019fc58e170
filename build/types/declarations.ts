import { isExportDeclaration, isExportSpecifier, type SourceFile, type Statement } from 'typescript/unstable/ast'
import { type Checker, type Symbol, SymbolFlags } from 'typescript/unstable/sync'
import { declares, importedBy, nameOf, namesIn } from './syntax.ts'

/** What a name means: something that the build declares, or what a module of another package exports. */
export interface Meaning {
  readonly name: string
  readonly module?: string
}

/** What a module exports, under the name that it gives. */
export interface Exported {
  readonly name: string
  readonly meaning: Meaning
  /** A class can be exported as a type alone: then nothing of that name is there when the program runs. */
  readonly isTypeOnly: boolean
}

/** A statement as the compiler wrote it, and where in it names are said whose meaning is elsewhere. */
export interface Text {
  readonly written: string
  /** Where its comment ends and what it declares begins. */
  readonly start: number
  readonly spots: readonly Spot[]
}

export interface Spot {
  readonly start: number
  readonly end: number
  readonly meaning: Meaning
}

/** The declarations of a build. The compiler says what each name means, so scopes and shadows are its business and not ours. */
export class Declarations {
  /** Names of the language and of other packages that were read without an import of theirs. Nothing here may take them. */
  readonly globals = new Set<string>()
  /** What adds to a module of another package, and the file where it does. It has no name, so nobody asks for it. */
  readonly additions: { readonly file: string; readonly meaning: Meaning }[] = []
  readonly #checker: Checker
  readonly #files: readonly SourceFile[]
  /** As the compiler compares them: in lower case where the machine's files have no case. */
  readonly #paths: ReadonlySet<string>
  readonly #meanings = new Map<string, Meaning>()
  readonly #statements = new Map<Meaning, Statement[]>()
  readonly #texts = new Map<Meaning, readonly Text[]>()

  constructor(checker: Checker, files: readonly SourceFile[]) {
    this.#checker = checker
    this.#files = files
    this.#paths = new Set(files.map(({ path }) => path))
    for (const statement of files.flatMap(file => file.statements.filter(declares))) {
      const meaning = this.#declaredBy(statement)
      this.#statements.set(meaning, [...(this.#statements.get(meaning) ?? []), statement])
    }
  }

  /** All that declares it: one statement, or several where a constant and a type share a name or a function has overloads. */
  textsOf(meaning: Meaning): readonly Text[] {
    const texts = this.#texts.get(meaning) ?? (this.#statements.get(meaning) ?? []).map(statement => this.#read(statement))
    this.#texts.set(meaning, texts)
    return texts
  }

  exportsOf(file: string): Exported[] {
    const source = this.#files.find(({ fileName }) => fileName === file)
    const module = source && this.#checker.getSymbolAtLocation(source)
    if (!module) throw new Error(`${file} is no module of the build.`)
    return this.#checker.getExportsOfModule(module).map(symbol => {
      const meaning = this.#meaningOf(symbol)
      if (!meaning) throw new Error(`${file} exports ${symbol.name}, which the build doesn't declare.`)
      return { name: symbol.name, meaning, isTypeOnly: this.#isTypeOnly(symbol) && this.#hasValue(symbol) }
    })
  }

  #declaredBy(statement: Statement): Meaning {
    const name = nameOf(statement)
    if (!name) return this.#addition(statement)
    const symbol = this.#checker.getSymbolAtLocation(name)
    if (!symbol) throw new Error(`Nothing is known of what this declares: ${statement.getText()}`)
    return this.#known(placeOf(symbol), { name: symbol.name })
  }

  #addition(statement: Statement): Meaning {
    const addition = { file: statement.getSourceFile().fileName, meaning: { name: '' } }
    this.additions.push(addition)
    return addition.meaning
  }

  #read(statement: Statement): Text {
    const names = namesIn(statement)
    const symbols = this.#checker.getSymbolAtLocation(names.map(({ node }) => node))
    const from = statement.getFullStart()
    const spots = names.flatMap(({ node, start, module }, index) => {
      const symbol = symbols[index]
      const meaning = isForeign(module) ? this.#foreign(module, node.text) : symbol && this.#meaningOf(symbol)
      return meaning ? [{ start: start - from, end: node.getEnd() - from, meaning }] : []
    })
    return { written: statement.getFullText(), start: statement.getStart() - from, spots }
  }

  /** Undefined for what is a member, a parameter or the language's own. */
  #meaningOf(symbol: Symbol): Meaning | undefined {
    const [declaration] = symbol.declarations
    if (!declaration) return undefined
    if (!(symbol.flags & SymbolFlags.Alias)) {
      if (!this.#paths.has(declaration.path)) this.globals.add(symbol.name)
      return this.#meanings.get(placeOf(symbol))
    }
    const imported = importedBy(declaration.resolve()!)
    if (imported && isForeign(imported.module)) return this.#foreign(imported.module, imported.name)
    return this.#meaningOf(this.#checker.getAliasedSymbol(symbol))
  }

  #isTypeOnly(symbol: Symbol): boolean {
    if (!(symbol.flags & SymbolFlags.Alias)) return false
    const specifier = symbol.declarations[0]!.resolve()!
    const declaration = specifier.parent.parent
    if (isExportSpecifier(specifier) && specifier.isTypeOnly) return true
    if (isExportDeclaration(declaration) && declaration.isTypeOnly) return true
    const behind = this.#checker.getImmediateAliasedSymbol(symbol)
    return behind !== undefined && this.#isTypeOnly(behind)
  }

  #hasValue(symbol: Symbol): boolean {
    return (this.#checker.getAliasedSymbol(symbol).flags & SymbolFlags.Value) !== 0
  }

  #foreign(module: string, name: string): Meaning {
    return this.#known(`${module} ${name}`, { name, module })
  }

  #known(key: string, otherwise: Meaning): Meaning {
    const meaning = this.#meanings.get(key) ?? otherwise
    this.#meanings.set(key, meaning)
    return meaning
  }
}

function isForeign(module: string | undefined): module is string {
  return module !== undefined && !module.startsWith('.')
}

function placeOf({ declarations: [first] }: Symbol): string {
  return `${first!.path} ${first!.index}`
}
