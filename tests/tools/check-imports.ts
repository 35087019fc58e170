import { cruise, type ICruiseResult, type IForbiddenRuleType } from 'dependency-cruiser'

/**
 * The rooms of src in one straight line: a module imports only from its own room or from one above it. A straight line can't hold a
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
  'open-daybook.ts',
  'jobs/',
  'testing/',
  'http/',
  'cli/',
  'studio/',
  'index.ts',
]

/** A parser that reads nothing reports no violation either, so the number of modules has a floor. */
const fewestModules = 60

const straightLine: IForbiddenRuleType[] = rooms.slice(0, -1).map((room, position) => ({
  name: `${room} imports only from above`,
  severity: 'error',
  from: { path: `^src/${room}` },
  to: { path: `^src/(${rooms.slice(position + 1).join('|')})` },
}))

/** Everything but the kernel, whose files are single things, is entered through its index.ts. */
const oneDoor: IForbiddenRuleType[] = rooms
  .filter(room => room.endsWith('/') && room !== 'kernel/')
  .map(room => ({
    name: `${room} is entered through its index.ts`,
    severity: 'error',
    from: { path: '^src/', pathNot: `^src/${room}` },
    to: { path: `^src/${room}`, pathNot: `^src/${room}index\\.ts$` },
  }))

const others: IForbiddenRuleType[] = [
  { name: 'no circles', severity: 'error', from: {}, to: { circular: true } },
  {
    name: 'Fastify is known in http alone',
    severity: 'error',
    from: { path: '^src/', pathNot: '^src/(http|cli)/' },
    to: { path: 'node_modules/(fastify|@fastify)' },
  },
  {
    name: 'a migration is frozen, so it imports nothing of ours',
    severity: 'error',
    from: { path: '^migrations/Migration' },
    to: { path: '^(src|seeders|tests)/' },
  },
]

const { output } = await cruise(['src', 'migrations', 'seeders'], {
  parser: 'swc',
  tsPreCompilationDeps: true,
  moduleSystems: ['es6'],
  doNotFollow: { path: 'node_modules' },
  validate: true,
  ruleSet: { forbidden: [...straightLine, ...oneDoor, ...others] },
})
const { summary, modules } = output as ICruiseResult
const homeless = modules
  .map(({ source }) => source)
  .filter(source => source.startsWith('src/') && !rooms.some(room => source.startsWith(`src/${room}`)))

const complaints = [
  ...summary.violations.map(({ rule, from, to, cycle }) => `${rule.name}: ${from} → ${cycle?.map(({ name }) => name).join(' → ') ?? to}`),
  ...homeless.map(source => `${source} stands in no room: add it to the line in tests/tools/check-imports.ts`),
  ...(summary.totalCruised < fewestModules ? [`only ${summary.totalCruised} modules were read, expected at least ${fewestModules}`] : []),
]
for (const complaint of complaints) console.error(complaint)
console.log(complaints.length > 0 ? 'imports: refused' : `imports: ${summary.totalCruised} modules stand in line`)
process.exitCode = complaints.length > 0 ? 1 : 0
