import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { domainPage, metadata } from '../tools/domain-page.ts'

const page = domainPage()
const headings = [...page.matchAll(/^#{2,3} (.+)$/gm)].map(([, title]) => title!)
const diagrams = [...page.matchAll(/```mermaid\n(.*?)```/gs)].map(([, text]) => text!.trimEnd().split('\n'))

test('the map is current: `npm run docs:domain` writes it', async () => {
  expect(await readFile('docs/domain.md', 'utf8')).toBe(page)
})

test('each entity stands on the map once, with each of its own columns', () => {
  const metas = [...metadata().values()]
  expect(metas.length).toBeGreaterThan(70)
  for (const meta of metas) {
    const sections = page.split(/^### /m).filter(section => section.startsWith(`${meta.className}\n`))
    expect(sections, meta.className).toHaveLength(1)
    const fields = [...sections[0]!.matchAll(/^\| [*~]*(\w+)\??[*~]* \|/gm)].map(([, name]) => name!)
    const columns = meta.props.filter(({ fieldNames, persist }) => fieldNames?.length > 0 && persist !== false).map(({ name }) => name)
    expect(
      columns.filter(name => !common.has(name) && !fields.includes(name)),
      meta.className,
    ).toEqual([])
  }
})

const common = new Set(['id', 'createdAt', 'updatedAt', 'tenantId'])

test('each link of the contents leads to a heading', () => {
  const anchors = headings.map(title => title.toLowerCase().replace(': ', '-'))
  expect(anchors).toHaveLength(new Set(anchors).size)
  const links = [...page.matchAll(/\]\(#([^)]+)\)/g)].map(([, anchor]) => anchor!)
  expect(links.length).toBeGreaterThan(80)
  expect(links.filter(link => !anchors.includes(link))).toEqual([])
})

/** What Mermaid's grammar of entity diagrams takes in its plainest form. */
test('diagrams keep to names, a line between them, and a word in quotes', () => {
  expect(diagrams.length).toBeGreaterThanOrEqual(15)
  for (const [first, ...lines] of diagrams) {
    expect(first).toBe('erDiagram')
    expect(lines.length).toBeGreaterThan(0)
    for (const line of lines) expect(line).toMatch(/^ {2}[A-Z]\w*(?: (?:\|o|\}o)--(?:\|\||o\|) [A-Z]\w* : "\w+")?$/)
  }
})
