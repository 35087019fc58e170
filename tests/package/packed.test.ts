import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'

const run = promisify(execFile)
const modules = resolve('node_modules')
let project: string

/** A copy to build in: a `dist` in this folder would be what the command line of the ORM finds first, also for tests that run beside this one. */
async function copyOfSources(): Promise<string> {
  const copy = await mkdtemp(join(tmpdir(), 'daybook-sources-'))
  const parts = [
    'src',
    'migrations',
    'seeders',
    'package.json',
    'tsconfig.json',
    'tsconfig.build.json',
    'CHANGELOG.md',
    'README.md',
    'LICENSE',
  ]
  for (const part of parts) await cp(part, join(copy, part), { recursive: true })
  await symlink(modules, join(copy, 'node_modules'), 'junction')
  return copy
}

/** A project of somebody else, who has installed the packed package: its dependencies are those of this folder. */
beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), 'daybook-packed-'))
  const sources = await copyOfSources()
  await run('npm', ['pack', '--pack-destination', project], { cwd: sources, shell: process.platform === 'win32' })
  await rm(sources, { recursive: true })
  const [tarball] = (await readdir(project)).filter(name => name.endsWith('.tgz'))
  const target = join(project, 'node_modules', 'daybook')
  await mkdir(target, { recursive: true })
  await run('tar', ['-xzf', join(project, tarball!), '-C', target, '--strip-components', '1'])
  for (const name of await readdir(modules)) {
    if (name !== 'daybook' && !name.startsWith('.')) await symlink(join(modules, name), join(project, 'node_modules', name), 'junction')
  }
  await writeFile(
    join(project, 'package.json'),
    JSON.stringify({ type: 'module', dependencies: { daybook: '*', '@mikro-orm/cli': '7.2.1' } }),
  )
  await writeFile(join(project, 'mikro-orm.config.js'), `export { mikroOrmConfig as default } from 'daybook/cli'\n`)
})
afterAll(() => rm(project, { recursive: true, force: true }))

const inProject = (command: string, ...rest: string[]) =>
  run(process.execPath, [command, ...rest], {
    cwd: project,
    env: { PATH: process.env.PATH, DB_LOG_QUERIES: 'off', DAYBOOK_SEED_PASSWORD: 'a password of the demo' },
  })

const mikroOrm = join('node_modules', '@mikro-orm', 'cli', 'cli.js')

test('every entry point of the package can be imported', async () => {
  await writeFile(
    join(project, 'entries.js'),
    `const names = ['daybook', 'daybook/entities', 'daybook/helpers', 'daybook/fastify', 'daybook/testing', 'daybook/migrations', 'daybook/cli']
     for (const name of names) console.log(name, Object.keys(await import(name)).length)`,
  )
  const { stdout } = await inProject('entries.js')
  expect(stdout.trim().split('\n')).toHaveLength(7)
})

test('the library alone does not load Fastify', async () => {
  await writeFile(
    join(project, 'loader.js'),
    `import { registerHooks } from 'node:module'
     const loaded = []
     registerHooks({ load(url, context, next) { loaded.push(url); return next(url, context) } })
     await import('daybook')
     console.log(loaded.length > 50, loaded.some(url => /node_modules\\/fastify\\//.test(url)))`,
  )
  const { stdout } = await inProject('loader.js')
  expect(stdout.trim()).toBe('true false')
})

test('migrations and seeders run from the package, on the embedded database', async () => {
  const up = await inProject(mikroOrm, 'migration:up')
  expect(up.stdout).toContain('Successfully migrated up to the latest version')
  const check = await inProject(mikroOrm, 'migration:check')
  expect(check.stdout).toContain('No changes required')
  const first = await inProject(mikroOrm, 'seeder:run')
  const [, made] = /(\d+) created, 0 kept, 0 skipped/.exec(first.stdout) ?? []
  expect(Number(made)).toBeGreaterThan(70)
  const second = await inProject(mikroOrm, 'seeder:run')
  expect(second.stdout).toContain(`0 created, ${made} kept, 0 skipped: nothing has changed`)
})

test('a strict consumer compiles against the declarations', async () => {
  await writeFile(
    join(project, 'consumer.ts'),
    `import { p, type EntitySchema } from '@mikro-orm/core'
     import { openDaybook, Role, tenantEntity, TenantRow, userActor } from 'daybook'
     class Note extends TenantRow { declare text: string }
     export const NoteSchema: EntitySchema<Note> = tenantEntity({ class: Note, properties: { text: p.text() } })
     const daybook = await openDaybook({ entities: [NoteSchema], inMemory: true })
     const em = daybook.scope({ tenant: 'x', actor: userActor('y') })
     export const note: Note = em.create(Note, { text: 'x' })
     export const role: Role | null = await em.findOne(Role, { key: 'OWNER' })
     // @ts-expect-error a property that the class doesn't have
     em.create(Role, { kez: 'OWNER' })\n`,
  )
  const options = {
    strict: true,
    exactOptionalPropertyTypes: true,
    target: 'es2024',
    noEmit: true,
    skipLibCheck: true,
    types: ['node'],
    lib: ['es2024', 'esnext.disposable'],
  }
  for (const [name, resolution] of Object.entries({
    nodenext: { module: 'nodenext' },
    bundler: { module: 'preserve', moduleResolution: 'bundler' },
  })) {
    const file = `tsconfig.${name}.json`
    await writeFile(join(project, file), JSON.stringify({ compilerOptions: { ...options, ...resolution }, files: ['consumer.ts'] }))
    await run(join(modules, '.bin', 'tsc'), ['-p', file], { cwd: project })
  }
})
