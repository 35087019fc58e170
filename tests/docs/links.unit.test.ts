import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join, posix } from 'node:path'
import { expect, test } from 'vitest'

const pages = globSync(['*.md', 'docs/**/*.md', 'examples/**/*.md']).map(file => file.replaceAll('\\', '/'))

/** Without what is shown as code, which may look like a link or like a heading. */
const proseOf = (page: string) =>
  readFileSync(page, 'utf8')
    .replaceAll(/^```.*?^```/gms, '')
    .replaceAll(/`[^`\n]*`/g, code => code.replaceAll(/[[\]()]/g, ' '))

interface Link {
  readonly page: string
  readonly file: string
  readonly anchor: string | undefined
}

function linksOf(page: string): Link[] {
  const targets = [...proseOf(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target!).filter(target => !target.includes('://'))
  return targets.map(target => {
    const [path = '', anchor] = target.split('#')
    return { page, file: path === '' ? page : posix.normalize(join(dirname(page), path).replaceAll('\\', '/')), anchor }
  })
}

/** As GitHub makes them of headings: no punctuation, a hyphen for each space, a number behind what has been there. */
function anchorsOf(page: string): string[] {
  const seen = new Map<string, number>()
  return [...proseOf(page).matchAll(/^#{1,6} (.+)$/gm)].map(([, title]) => {
    const anchor = title!
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-')
    const times = seen.get(anchor) ?? 0
    seen.set(anchor, times + 1)
    return times > 0 ? `${anchor}-${times}` : anchor
  })
}

const links = pages.flatMap(linksOf)

test('every file that a page points at is there', () => {
  expect(pages.length).toBeGreaterThan(30)
  expect(links.length).toBeGreaterThan(150)
  expect(links.filter(({ file }) => !existsSync(file))).toEqual([])
})

test('every heading that a page points at is there', () => {
  const anchors = new Map(pages.map(page => [page, anchorsOf(page)]))
  const pointed = links.filter(({ anchor, file }) => anchor !== undefined && anchors.has(file))
  expect(pointed.length).toBeGreaterThan(80)
  expect(pointed.filter(({ anchor, file }) => !anchors.get(file)!.includes(anchor!))).toEqual([])
})

test('the README leads to every page of docs, and the list of decisions to each of them', () => {
  const from = (page: string) => linksOf(page).map(({ file }) => file)
  expect(globSync('docs/*.md').filter(page => !from('README.md').includes(page.replaceAll('\\', '/')))).toEqual([])
  const decisions = globSync('docs/adr/0*.md').map(page => page.replaceAll('\\', '/'))
  expect(decisions.filter(page => !from('docs/adr/README.md').includes(page))).toEqual([])
})
