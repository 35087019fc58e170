import { globSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, posix, resolve } from 'node:path'
import { API } from 'typescript/unstable/sync'
import { Declarations } from './types/declarations.ts'
import { layOut } from './types/layout.ts'
import { textOf } from './types/text.ts'

/**
 * Leaves of the declaration files of a build what the package's entries reach, in one file for each entry. The compiler writes one for
 * each module, with imports, and with what no user can import.
 *
 *   node build/roll-up-types.ts dist
 */
const dist = posixPath(resolve(process.argv[2] ?? 'dist'))
const { exports } = JSON.parse(readFileSync('package.json', 'utf8')) as { exports: Record<string, string | { readonly types: string }> }
const entries = Object.values(exports).flatMap(entry => (typeof entry === 'string' ? [] : [entry.types.replace('./dist', dist)]))

const config = posix.join(dist, 'tsconfig.json')
writeFileSync(config, JSON.stringify({ extends: posixPath(resolve('tsconfig.json')), include: [], files: entries }))
const api = new API()
try {
  const [project] = api.updateSnapshot({ openProjects: [config] }).getProjects()
  const files = project!.program.getSourceFileNames().filter(name => name.startsWith(`${dist}/`))
  const declarations = new Declarations(
    project!.checker,
    files.map(name => project!.program.getSourceFile(name)!),
  )
  const published = layOut(declarations, entries, posix.join(dist, 'src', 'internal.d.ts'))
  const texts = published.map(file => [file.file, textOf(file, published, declarations)] as const)
  for (const name of globSync('**/*.d.ts', { cwd: dist })) rmSync(join(dist, name))
  for (const [name, text] of texts) writeFileSync(name, text)
} finally {
  api.close()
  rmSync(config)
}

function posixPath(path: string): string {
  return path.replaceAll('\\', '/')
}
