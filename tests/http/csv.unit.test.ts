import { expect, test } from 'vitest'
import { csvLine } from '../../src/http/csv.ts'

test.each([
  ['a formula', '=1+1', "'=1+1"],
  ['one of each other kind', '+1', "'+1"],
  ['one behind a line', '\n=1', "'\n'=1"],
  ['one behind spaces', ' \u00a0=1', " \u00a0'=1"],
  ['one behind what nobody sees', '\ufeff\u200b=1', "\ufeff\u200b'=1"],
  ['one in full width', '＝1', "'＝1"],
  ['one behind a tab', '\t@SUM(A1)', "'\t'@SUM(A1)"],
  ['one where lists are written with semicolons', "a;=cmd|' /C calc'!A0", "a;'=cmd|' /C calc'!A0"],
  ['one in quotes there', 'a; "=1', `a; ""'=1`],
  ['one on a line of its own there', 'a\n-1', "a\n'-1"],
  ['a list of them', '=1;=2', "'=1;'=2"],
])('a cell that holds %s runs nothing', (_what, text, cell) => {
  expect(csvLine([text])).toBe(`"${cell}"\r\n`)
})

test.each(['plain', 'a = b', '1-2', 'ann@acme.example', 'a; b', '{"a":-1}', 'line\nline'])('a cell that holds %j stays as it is', text => {
  expect(csvLine([text, null, 7])).toBe(`"${text.replaceAll('"', '""')}",,"7"\r\n`)
})

test('what is JSON stays JSON', () => {
  const line = csvLine([{ title: 'x;=1' }])
  expect(JSON.parse(line.trimEnd().slice(1, -1).replaceAll('""', '"'))).toEqual({ title: "x;'=1" })
})

test('a long cell of nothing but beginnings takes no long time', () => {
  const startedAt = performance.now()
  csvLine(['\n'.repeat(100_000), ';"'.repeat(50_000), '\n='.repeat(50_000)])
  expect(performance.now() - startedAt).toBeLessThan(2_000)
})
