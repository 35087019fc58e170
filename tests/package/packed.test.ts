import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'

const run = promisify(execFile)
const modules = resolve('node_modules')
let project: string

/** A copy to build in: a `dist` in this folder would be what the command line of the ORM finds first, also for tests that run beside this one. */
async function copyOfSources(): Promise<string> {
  const copy = await mkdtemp(join(tmpdir(), 'daybook-sources-'))
  const parts = [
    'build',
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

const entryPoints = [
  'daybook',
  'daybook/entities',
  'daybook/helpers',
  'daybook/fastify',
  'daybook/testing',
  'daybook/migrations',
  'daybook/cli',
]

const strict = {
  strict: true,
  exactOptionalPropertyTypes: true,
  target: 'es2024',
  noEmit: true,
  skipLibCheck: true,
  types: ['node'],
  lib: ['es2024', 'esnext.disposable'],
}

const mikroOrm = join('node_modules', '@mikro-orm', 'cli', 'cli.js')

const tsc = (file: string) => run(join(modules, '.bin', 'tsc'), ['-p', file], { cwd: project })

test('every entry point of the package can be imported, and its declarations name what it has and nothing else', async () => {
  await writeFile(
    join(project, 'entries.js'),
    `const names = ${JSON.stringify(entryPoints)}
     const entries = await Promise.all(names.map(async name => [name, Object.keys(await import(name))]))
     console.log(JSON.stringify(entries))`,
  )
  const { stdout } = await inProject('entries.js')
  const entries = JSON.parse(stdout) as [entry: string, names: string[]][]
  expect(entries).toHaveLength(entryPoints.length)
  const lines = entries.flatMap(([entry, names], index) => [
    `import * as entry${index} from '${entry}'`,
    `export const names${index}: Record<keyof typeof entry${index}, true> = { ${names.map(name => `${name}: true`).join(', ')} }`,
  ])
  await writeFile(join(project, 'entries.ts'), lines.join('\n'))
  const compilerOptions = { ...strict, module: 'nodenext', skipLibCheck: false, listFiles: true }
  await writeFile(join(project, 'tsconfig.entries.json'), JSON.stringify({ compilerOptions, files: ['entries.ts'] }))
  // Declarations of other packages have errors of their own.
  const { stdout: told } = await tsc('tsconfig.entries.json').catch((error: { stdout: string }) => error)
  expect(told.split('\n').filter(line => /^(entries\.ts|node_modules\/daybook\/).*error TS/.test(line))).toEqual([])
  expect(told.match(/\/node_modules\/daybook\/dist\/.*\.d\.ts$/gm)).toHaveLength(8)
})

/** People know both by this name: the log's brings back what was removed, the helpers' what was only marked as deleted. */
const twoMeanings = ['restore in daybook and in daybook/helpers']

test('a name means the same in every entry that has it', async () => {
  await writeFile(
    join(project, 'meanings.js'),
    `const [known, several] = [new Map(), []]
     for (const entry of ${JSON.stringify(entryPoints)}) {
       for (const [name, meaning] of Object.entries(await import(entry))) {
         if (!known.has(name)) known.set(name, { entry, meaning })
         else if (known.get(name).meaning !== meaning) several.push(name + ' in ' + known.get(name).entry + ' and in ' + entry)
       }
     }
     console.log(JSON.stringify(several))`,
  )
  expect(JSON.parse((await inProject('meanings.js')).stdout)).toEqual(twoMeanings)
})

/** A little above what they take, so that a type which expands into everything it is made of doesn't pass unseen. docs/figures.md says more. */
const mostKib = { withComments: 234, withoutComments: 146 }

test('the declarations stay small', async () => {
  const dist = join(project, 'node_modules', 'daybook', 'dist')
  const files = (await readdir(dist, { recursive: true })).filter(name => name.endsWith('.d.ts'))
  expect(files).toHaveLength(8)
  const text = (await Promise.all(files.map(name => readFile(join(dist, name), 'utf8')))).join('')
  const bare = text.replaceAll(/\/\*\*[\s\S]*?\*\/\s*/g, '')
  expect(Buffer.byteLength(text) / 1_024).toBeLessThan(mostKib.withComments)
  expect(Buffer.byteLength(bare) / 1_024).toBeLessThan(mostKib.withoutComments)
  // What is said of a thing is what an editor shows.
  expect(/\*\/\nexport declare class Task /.test(text)).toBe(true)
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

test('the first program of the README runs in a project that has installed the package', async () => {
  const [, program] = /## A first program[\s\S]*?```ts\n([\s\S]*?)```/.exec(await readFile('README.md', 'utf8'))!
  await writeFile(join(project, 'first.ts'), program!)
  const { stdout } = await inProject('first.ts')
  expect(stdout.trim().split('\n').at(-1)).toBe('1 0')
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
     import { daybookRequests, inTenant } from 'daybook/fastify'
     import Fastify from 'fastify'
     class Note extends TenantRow { declare text: string }
     export const NoteSchema: EntitySchema<Note> = tenantEntity({ class: Note, properties: { text: p.text() } })
     const daybook = await openDaybook({ entities: [NoteSchema], inMemory: true })
     const em = daybook.scope({ tenant: 'x', actor: userActor('y') })
     export const note: Note = em.create(Note, { text: 'x' })
     export const role: Role | null = await em.findOne(Role, { key: 'OWNER' })
     // @ts-expect-error a property that the class doesn't have
     em.create(Role, { kez: 'OWNER' })
     const app = Fastify()
     app.register(daybookRequests, { daybook })
     app.get('/open', { config: { access: 'public' } }, () => ({}))
     // @ts-expect-error no way to get in
     app.get('/wrong', { config: { access: 'pubic' } }, () => ({}))
     app.get('/notes', request => inTenant(request, 'role:read', async work => (await work.em.count(Note)) + work.organization.name))\n`,
  )
  for (const [name, resolution] of Object.entries({
    nodenext: { module: 'nodenext' },
    bundler: { module: 'preserve', moduleResolution: 'bundler' },
  })) {
    const file = `tsconfig.${name}.json`
    await writeFile(join(project, file), JSON.stringify({ compilerOptions: { ...strict, ...resolution }, files: ['consumer.ts'] }))
    await tsc(file)
  }
})

test(
  'the page about extending is an application that migrates, compiles and passes its tests on both databases',
  { timeout: 300_000 },
  async () => {
    const page = await readFile('docs/extending.md', 'utf8')
    const files = [...page.matchAll(/```ts\n\/\/ (\S+\.ts)\n([\s\S]*?)```/g)].map(([, name, text]) => [name!, text!] as const)
    expect(files).toHaveLength(8)
    const folder = join(project, 'notes')
    await mkdir(join(folder, 'migrations'), { recursive: true })
    await writeFile(join(folder, 'package.json'), JSON.stringify({ type: 'module', dependencies: { '@mikro-orm/cli': '7.2.1' } }))
    const write = (name: string, text: string) => writeFile(join(folder, name), text)
    const env = { PATH: process.env.PATH, DB_LOG_QUERIES: 'off', TEST_DATABASE_URL: inject('databases').server.serverUrl! }
    const here = async (...command: string[]) => (await run(process.execPath, command, { cwd: folder, env })).stdout
    const [orm, vitest] = [join(modules, '@mikro-orm', 'cli', 'cli.js'), join(modules, 'vitest', 'vitest.mjs')]

    const [, name] = /class: (Migration\d+_notes)/.exec(page)!
    for (const [file, text] of files) if (file !== 'vitest.config.ts') await write(file, text)
    const model = files.find(([file]) => file === 'model.ts')![1]
    await write('model.ts', model.replace(/^import .*Migration.*\n/, '').replace(/= \[\{ name: .*\]/, '= []'))
    const config = ['--config', 'mikro-orm.config.ts']
    await here(orm, 'migration:up', ...config)
    await here(orm, 'migration:create', '--name', 'notes', ...config)
    const [made] = await readdir(join(folder, 'migrations'))
    const migration = join(folder, 'migrations', `${name!}.ts`)
    await rename(join(folder, 'migrations', made!), migration)
    await writeFile(migration, (await readFile(migration, 'utf8')).replaceAll(made!.replace('.ts', ''), name!))
    await write('model.ts', model)
    expect(await here(orm, 'migration:up', ...config)).toContain(`Applied '${name!}'`)
    expect(await here(orm, 'migration:check', ...config)).toContain('No changes required')

    const compilerOptions = { ...strict, module: 'nodenext', allowImportingTsExtensions: true }
    await write('tsconfig.json', JSON.stringify({ compilerOptions, include: ['*.ts', 'migrations/*.ts'] }))
    await run(join(modules, '.bin', 'tsc'), ['-p', join(folder, 'tsconfig.json')], { cwd: folder }).catch((error: { stdout: string }) =>
      expect(error.stdout).toBe(''),
    )
    expect(await here(vitest, 'run')).toMatch(/Tests .*3 passed/)
    await write('vitest.config.ts', files.find(([file]) => file === 'vitest.config.ts')![1])
    expect(await here(vitest, 'run')).toMatch(/Tests .*3 passed/)
  },
)
