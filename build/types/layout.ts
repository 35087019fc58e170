import { dirname } from 'node:path/posix'
import type { Declarations, Exported, Meaning } from './declarations.ts'

/** A declaration file that is published. */
export interface Published {
  readonly file: string
  readonly exports: Map<string, Meaning>
  /** Of what it exports, what is a type alone. */
  readonly typesOnly: Set<string>
  readonly declares: Set<Meaning>
}

/**
 * Gives everything that an entry reaches one place. What is exported stands in an entry that exports it. What is only needed stands with
 * those who need it where they are in one file, and otherwise in a file of its own, which only the other files can import.
 */
export function layOut(declarations: Declarations, entries: readonly string[], shared: string): Published[] {
  const faces = inOrder(entries.map(file => emptyFile(file, declarations.exportsOf(file))))
  const placed = new Set<Meaning>()
  for (const { exports, declares } of faces) {
    for (const meaning of exports.values()) if (!meaning.module && !placed.has(meaning)) declares.add(meaning)
    for (const meaning of declares) placed.add(meaning)
  }
  for (const { file, meaning } of declarations.additions) nearest(faces, file).declares.add(meaning)
  const internal = emptyFile(shared)
  for (const [meaning, needing] of neededBy(declarations, faces, placed)) {
    const [only, another] = needing
    const home = only && !another ? only : internal
    home.declares.add(meaning)
    if (home === internal) internal.exports.set(freeName(internal.exports, meaning.name), meaning)
  }
  return [...faces, internal]
}

function emptyFile(file: string, exported: readonly Exported[] = []): Published {
  const typesOnly = exported.filter(({ isTypeOnly }) => isTypeOnly)
  return {
    file,
    exports: new Map(exported.map(({ name, meaning }) => [name, meaning])),
    typesOnly: new Set(typesOnly.map(({ name }) => name)),
    declares: new Set(),
  }
}

/** An entry whose names are all in another one declares what it exports, so that the other one can pass it on as a whole. */
function inOrder(faces: readonly Published[]): Published[] {
  const isPart = ({ exports }: Published) => faces.some(other => other.exports.size > exports.size && isWithin(exports, other.exports))
  return faces.toSorted((one, other) => Number(isPart(other)) - Number(isPart(one)) || other.exports.size - one.exports.size)
}

export function isWithin(part: ReadonlyMap<string, unknown>, whole: ReadonlyMap<string, unknown>): boolean {
  return [...part.keys()].every(name => whole.has(name))
}

function nearest(faces: readonly Published[], file: string): Published {
  const around = faces.filter(face => file.startsWith(`${dirname(face.file)}/`))
  return around.toSorted((one, other) => other.file.length - one.file.length)[0] ?? faces[0]!
}

/** What is not exported and yet needed, with the files that need it, be it through other things of this kind. */
function neededBy(declarations: Declarations, faces: readonly Published[], placed: ReadonlySet<Meaning>): Map<Meaning, Set<Published>> {
  const needed = new Map<Meaning, Set<Published>>()
  const visit = (face: Published, declared: Meaning): void => {
    for (const { meaning } of declarations.textsOf(declared).flatMap(({ spots }) => spots)) {
      const needing = needed.get(meaning) ?? new Set()
      if (meaning.module || placed.has(meaning) || needing.has(face)) continue
      needed.set(meaning, needing.add(face))
      visit(face, meaning)
    }
  }
  for (const face of faces) for (const meaning of face.declares) visit(face, meaning)
  return needed
}

export function freeName(taken: ReadonlyMap<string, unknown>, name: string): string {
  let free = name
  for (let turn = 1; taken.has(free); turn++) free = `${name}$${turn}`
  return free
}
