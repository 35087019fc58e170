import { execFileSync } from 'node:child_process'
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

/**
 * What a program pays for Daybook before it does anything: opening it on a server that is migrated, the package's types, and compiling a
 * program that uses ten entities. Processor time is what counts where others are at work on the machine.
 *
 *   DATABASE_URL=… node bench/start.ts
 */
const directory = mkdtempSync(join(tmpdir(), 'daybook-start-'))
const modules = resolve('node_modules')
const tsc = join(modules, 'typescript', 'bin', 'tsc')

try {
  if (process.env.DATABASE_URL) showOpening()
  else say('openDaybook is not measured: DATABASE_URL names no server.')
  const dist = join(directory, 'node_modules', 'daybook', 'dist')
  linkDependencies()
  timed('building the package', [tsc, '-p', 'tsconfig.build.json', '--outDir', dist])
  timed('leaving of its types what is reached', [join('build', 'roll-up-types.ts'), dist])
  showTypes(dist)
  showConsumer()
} finally {
  rmSync(directory, { recursive: true, force: true })
}

function showOpening(): void {
  const program = `
    const before = [performance.now(), process.cpuUsage()]
    const { openDaybook } = await import(${JSON.stringify(resolve('src/index.ts'))})
    const imported = [performance.now(), process.cpuUsage()]
    const times = []
    for (let turn = 0; turn < 5; turn++) {
      const at = [performance.now(), process.cpuUsage()]
      const daybook = await openDaybook({ logQueries: false })
      times.push([performance.now() - at[0], process.cpuUsage(at[1])])
      await daybook.close()
    }
    const cpu = ({ user, system }) => Math.round((user + system) / 1000)
    console.log('importing daybook:', Math.round(imported[0] - before[0]), 'ms, processor', cpu(process.cpuUsage(before[1])) - times.reduce((sum, [, used]) => sum + cpu(used), 0), 'ms')
    for (const [index, [ms, used]] of times.entries()) console.log('openDaybook', index + 1, ':', Math.round(ms), 'ms, processor', cpu(used), 'ms')`
  const file = join(directory, 'open.mjs')
  writeFileSync(file, program)
  process.stdout.write(execFileSync(process.execPath, [file], { encoding: 'utf8' }))
}

function linkDependencies(): void {
  for (const name of ['@mikro-orm', '@types', 'typebox', 'kysely', 'pg', 'undici-types']) {
    const scoped = join(directory, 'node_modules', name)
    mkdirSync(resolve(scoped, '..'), { recursive: true })
    symlinkSync(join(modules, name), scoped, 'junction')
  }
}

function showTypes(dist: string): void {
  const files = globSync('**/*.d.ts', { cwd: dist }).map(name => ({ name, text: readFileSync(join(dist, name), 'utf8') }))
  const sizeOf = (chosen: typeof files) => chosen.reduce((sum, { text }) => sum + Buffer.byteLength(text), 0)
  const bare = files.map(({ name, text }) => ({ name, text: text.replaceAll(/\/\*\*[\s\S]*?\*\/\s*/g, '') }))
  say(`types: ${kib(sizeOf(files))} in ${files.length} files, ${kib(sizeOf(bare))} without what they say`)
  for (const file of files.filter(one => sizeOf([one]) > 8_192)) say(`  ${file.name}: ${kib(sizeOf([file]))}`)
}

function showConsumer(): void {
  const target = join(directory, 'node_modules', 'daybook')
  writeFileSync(join(target, 'package.json'), readFileSync('package.json'))
  const names = 'Task Pipeline Project Prospect Campaign Document MarketplaceOrder SchedulingEvent Role WebhookEndpoint'.split(' ')
  const uses = names.map(name => `await em.find(${name}, {}, { limit: 1 })`).join('\n')
  const text = `import { openDaybook, systemActor, ${names.join(', ')} } from 'daybook'
    const daybook = await openDaybook()
    const em = daybook.scope({ tenant: '', actor: systemActor('x') })\n${uses}\nexport {}\n`
  writeFileSync(join(directory, 'program.mts'), text)
  const compilerOptions = { module: 'nodenext', target: 'es2024', strict: true, noEmit: true, skipLibCheck: true, types: ['node'] }
  writeFileSync(join(directory, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['program.mts'] }))
  timed('compiling a program that uses ten entities', [tsc, '-p', directory])
}

function timed(what: string, args: readonly string[]): void {
  const startedAt = performance.now()
  execFileSync(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit'] })
  say(`${what}: ${((performance.now() - startedAt) / 1_000).toFixed(1)} s`)
}

function kib(bytes: number): string {
  return `${(bytes / 1024).toFixed(1)} KiB`
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}
