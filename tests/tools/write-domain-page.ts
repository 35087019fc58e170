import { readFileSync, writeFileSync } from 'node:fs'
import { domainPage } from './domain-page.ts'

/** Writes docs/domain.md; with `--check` it only says whether that would change anything. */
const file = 'docs/domain.md'
const page = domainPage()
if (!process.argv.includes('--check')) writeFileSync(file, page)
else if (readFileSync(file, 'utf8') !== page) {
  console.error(`${file} isn’t current: run \`npm run docs:domain\``)
  process.exitCode = 1
} else console.log(`${file} is current`)
