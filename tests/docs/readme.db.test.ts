import { execFile } from 'node:child_process'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const run = promisify(execFile)
const readme = await readFile('README.md', 'utf8')

test('the first program of the README works when pasted', { timeout: 60_000 }, async () => {
  const section = readme.slice(readme.indexOf('## A first program'))
  const program = /```ts\n([\s\S]*?)```/.exec(section)?.[1]
  expect(program).toBeDefined()
  const file = `first-program-${process.pid}.ts`
  await writeFile(file, program!)
  try {
    const { stdout } = await run(process.execPath, ['--conditions=daybook-source', file], { env: { PATH: process.env.PATH } })
    expect(stdout.trim().split('\n').at(-1)).toBe('1 0')
  } finally {
    await rm(file)
  }
})
