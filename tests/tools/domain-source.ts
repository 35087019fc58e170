import { globSync, readFileSync } from 'node:fs'

export interface Area {
  readonly title: string
  /** The paragraph that its index.ts begins with. */
  readonly text: string
  /** Its classes of entities in the order of their files. */
  readonly entities: ReadonlyMap<string, Described>
}

/** What a class says of itself, which metadata doesn't know. */
export interface Described {
  readonly text: string
  readonly fields: ReadonlyMap<string, string>
}

/** The areas in the order in which they build on each other, as their folders say it. */
export function areas(): Area[] {
  const order = [...readFileSync('src/entities.ts', 'utf8').matchAll(/\.\/domain\/(\w+)\//g)].map(([, name]) => `domain/${name}`)
  return ['audit', 'ledger', ...order].map(folder => areaIn(`src/${folder}`))
}

function areaIn(folder: string): Area {
  const [, said = ''] = /^\/\*\*(.*?)\*\//s.exec(readFileSync(`${folder}/index.ts`, 'utf8')) ?? []
  const text = plain(said)
  const [, title, rest] = /^(\w+): (.*)$/.exec(text) ?? [undefined, 'Audit', text]
  const files = globSync(`${folder}/*.entity.ts`).toSorted()
  return {
    title,
    text: rest,
    entities: new Map(files.flatMap(file => classesIn(readFileSync(file, 'utf8')))),
  }
}

function classesIn(source: string): [string, Described][] {
  return [...source.matchAll(/(?:\/\*\*((?:(?!\*\/).)*?)\*\/\n)?export class (\w+)[^{]*\{(\}|\n.*?\n\})/gs)].map(
    ([, said = '', name, body]) => [
      name!,
      {
        text: plain(said),
        fields: new Map(
          [...body!.matchAll(/\/\*\*((?:(?!\*\/).)*?)\*\/\n\s+declare (\w+)/gs)].map(([, of, field]) => [field!, plain(of!)]),
        ),
      },
    ],
  )
}

function plain(comment: string): string {
  return comment
    .replaceAll(/^\s*\* ?/gm, ' ')
    .replaceAll(/\s+/g, ' ')
    .trim()
}
