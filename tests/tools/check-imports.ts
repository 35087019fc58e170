import { globSync, readFileSync } from 'node:fs'
import { dirname, join, posix } from 'node:path'

/**
 * The rooms of src in one straight line: a module imports only from its own room or from one earlier in this list. A straight line can't hold a
 * circle. Files of src that stand alone are rooms of their own.
 */
const rooms = [
  'kernel/',
  'context/',
  'orm/',
  'audit/',
  'readers/',
  'ledger/',
  'domain/identity/',
  'domain/organizations/',
  'domain/access/',
  'domain/billing/',
  'domain/work/',
  'domain/agents/',
  'domain/automation/',
  'domain/documents/',
  'domain/scheduling/',
  'domain/quality/',
  'domain/sales/',
  'domain/commerce/',
  'domain/content/',
  'domain/system/',
  'entities.ts',
  'model.ts',
  'config.ts',
  'master-keys.ts',
  'open-daybook.ts',
  'jobs/',
  'helpers/',
  'testing/',
  'http/',
  'cli/',
  'index.ts',
]

interface Package {
  readonly exports: Readonly<Record<string, string | { readonly 'daybook-source': string }>>
}

interface Import {
  readonly from: string
  readonly to: string
}

const modules = globSync('{src,migrations,seeders}/**/*.ts').map(file => file.replaceAll('\\', '/'))
const imports = modules.flatMap(importsOf)
const entries = Object.values((JSON.parse(readFileSync('package.json', 'utf8')) as Package).exports).flatMap(entry =>
  typeof entry === 'string' ? [] : [posix.normalize(entry['daybook-source'])],
)

const complaints = [
  ...modules.filter(file => file.startsWith('src/') && roomOf(file) < 0).map(file => `${file} stands in no room: add it to the line`),
  ...imports.filter(looksDown).map(({ from, to }) => `${from} imports ${to}, which stands later in the line`),
  ...imports
    .filter(avoidsTheDoor)
    .map(({ from, to }) => `${from} imports ${to}: that room is entered through its index.ts, or its internal.ts`),
  ...imports.filter(knowsFastify).map(({ from, to }) => `${from} imports ${to}: Fastify is known in http alone`),
  ...imports.filter(isThawed).map(({ from, to }) => `${from} imports ${to}: a migration is frozen, so it imports nothing of ours`),
  ...unread().map(file => `${file} is imported or exported by the package, and wasn't read`),
]
for (const complaint of complaints) console.error(complaint)
console.log(complaints.length > 0 ? 'imports: refused' : `imports: ${modules.length} modules stand in line`)
process.exitCode = complaints.length > 0 ? 1 : 0

/** A scan that misses modules complains of nothing in them, so whatever leads to one has to lead to one that was read. */
function unread(): string[] {
  const read = new Set(modules)
  const named = imports.flatMap(({ to }) => (/^(src|migrations|seeders)\/.*\.ts$/.test(to) ? [to] : []))
  return [...new Set([...entries, ...named])].filter(file => !read.has(file))
}

/** What `import … from`, `export … from` and `import(…)` name, relative paths resolved. The formatter keeps them in one shape. */
function importsOf(from: string): Import[] {
  const source = readFileSync(from, 'utf8')
  const names = [...source.matchAll(/(?:^(?:import|export)\b[^'"]*?from |^import |\bimport\()'([^']+)'/gms)].map(([, name]) => name!)
  return names.map(name => ({ from, to: name.startsWith('.') ? posix.normalize(join(dirname(from), name).replaceAll('\\', '/')) : name }))
}

/** The room's place in the line, or -1 for what stands in none. */
function roomOf(file: string): number {
  return rooms.findIndex(room => file.startsWith(`src/${room}`))
}

function looksDown({ from, to }: Import): boolean {
  return from.startsWith('src/') && to.startsWith('src/') && roomOf(to) > roomOf(from)
}

/** The kernel's files are single things; every other room has a door, and one beside it for what the package doesn't publish. */
function avoidsTheDoor({ from, to }: Import): boolean {
  const room = rooms[roomOf(to)]
  const hasDoor = room?.endsWith('/') && room !== 'kernel/'
  return (
    Boolean(hasDoor) &&
    roomOf(to) !== roomOf(from) &&
    from.startsWith('src/') &&
    ![`src/${room}index.ts`, `src/${room}internal.ts`].includes(to)
  )
}

function knowsFastify({ from, to }: Import): boolean {
  return /^(fastify|@fastify\/)/.test(to) && !/^src\/(http|cli)\//.test(from)
}

function isThawed({ from, to }: Import): boolean {
  return from.startsWith('migrations/Migration') && /^(src|seeders|tests)\//.test(to)
}
