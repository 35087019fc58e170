import { copyFileSync, readFileSync } from 'node:fs'
import { breakingChanges, type Description } from './breaking-changes.ts'

/**
 * Compares the API with that of the last release. Whoever breaks it on purpose says so to its users: every sentence
 * stands, between backticks, under "Unreleased" in the changelog. With a release, `--released` makes the description at hand the one to compare with.
 */
const [current, released] = ['docs/openapi.json', 'docs/openapi.released.json']
if (process.argv.includes('--released')) copyFileSync(current, released)

const description = (file: string) => JSON.parse(readFileSync(file, 'utf8')) as Description
const unreleased = /^## Unreleased\n(.*?)(?=^## |$(?![\s\S]))/ms.exec(readFileSync('CHANGELOG.md', 'utf8'))?.[1] ?? ''
const changes = breakingChanges(description(released), description(current))
const unsaid = changes.filter(change => !unreleased.includes(`\`${change}\``))
for (const change of unsaid) console.error(`- \`${change}\``)
console.log(
  unsaid.length > 0
    ? 'These break programs that use the API. Mend them, or copy the lines into the changelog under Unreleased.'
    : `the API breaks nobody${changes.length > 0 ? ` but as the changelog says, in ${changes.length} places` : ''}`,
)
process.exitCode = unsaid.length > 0 ? 1 : 0
