import { readFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { readDatabaseConfig } from '../config.ts'
import { systemActor } from '../context/index.ts'
import { normalizeEmail, Organization } from '../entities.ts'
import { isId } from '../kernel/id.ts'
import { newKey } from '../kernel/keyring.ts'
import { asSeen } from '../kernel/seen-text.ts'
import { headOf, notesIn, originOf, parseVerifierKey, type Verification, verifierKey, verifiersOf, verifyLog } from '../ledger/index.ts'
import { openDaybook } from '../open-daybook.ts'
import type { Daybook, Transact } from '../orm/index.ts'
import { eraseTold } from './erase.ts'
import { UsageError, wordsOf } from './usage-error.ts'

const usage = `npm run audit -- verify [--tenant id] [--since-checkpoint size] [--notes file] [--keys file] [--dropped-before moment] [--json]
       npm run audit -- checkpoint|keys [--tenant id]
       npm run audit -- erase [--tenant id] [--person id] [--email address] [--yes]`

const commands = ['verify', 'checkpoint', 'keys', 'erase'] as const

/** 0: everything fits; 1: something doesn't, or there was nobody to erase; 2: it could not be done. */
try {
  process.exitCode = await audit()
} catch (error) {
  console.error(wordsOf(error))
  process.exitCode = 2
}

async function audit(): Promise<number> {
  const { command, tenant, erasure, ...options } = await readArguments()
  const config = readDatabaseConfig()
  // Whoever has the published keys needs no secret one: nothing is sealed or opened here.
  const masterKeys = config.masterKeys ?? (options.verifiers && [newKey().toString('base64')])
  await using daybook = await openDaybook({ ...config, ...(masterKeys && { masterKeys }), logQueries: false, migrate: false })
  if (command === 'erase') return await eraseTold(daybook, { tenant, ...erasure })
  const logs = tenant ? [tenant] : await everyTenant(daybook)
  let code = 0
  for (const log of logs) {
    const actor = systemActor('audit')
    const transact: Transact = work => daybook.transact({ tenant: log, actor, reason: `audit ${command}` }, work, { unlogged: true })
    if (command === 'verify') code = Math.max(code, await verify(transact, options))
    else console.log(await (command === 'keys' ? keysOf(transact, daybook, log) : newestNote(transact)))
  }
  return code
}

async function verify(transact: Transact, { isJson, ...options }: Omit<Arguments, 'command' | 'tenant' | 'erasure'>): Promise<number> {
  const startedAt = performance.now()
  let toldAt = startedAt
  const rateOf = (leaves: number) => Math.round((leaves / Math.max(1, performance.now() - startedAt)) * 1_000)
  const onProgress = ({ position, size }: { position: number; size: number }) => {
    if (isJson || performance.now() - toldAt < 2_000) return
    toldAt = performance.now()
    console.error(`  leaf ${position} of ${size}, ${rateOf(position - (options.since ?? 0))} events/s`)
  }
  const found = await verifyLog(transact, { ...options, onProgress })
  const rate = rateOf(found.events + found.dropped)
  console.log(isJson ? JSON.stringify({ ...found, eventsPerSecond: rate }) : sentence(found, rate))
  return found.problem ? 1 : 0
}

function sentence({ log, size, events, dropped, checkpoints, notes, unsealed, problem }: Verification, rate: number): string {
  const gone = dropped > 0 ? `, ${dropped} dropped ones are vouched for by their leaves` : ''
  const kept = notes > 0 ? ` and ${notes} notes` : ''
  const waiting = unsealed > 0 ? `${unsealed >= 1_000 ? '1000 or more' : unsealed} wait for their seal` : 'none waits for its seal'
  if (problem) return `${log}: DOESN’T FIT. ${problem.message}\n  ${events} events before it fit${gone}.`
  return `${log}: ${events} events fit up to checkpoint ${size}${gone} (${checkpoints} checkpoints${kept}); ${waiting}. ${rate} events/s.`
}

async function keysOf(transact: Transact, { installation }: Daybook, log: string): Promise<string> {
  const verifiers = await transact(async em => verifiersOf(em, (await headOf(em))?.origin ?? originOf(installation, log)))
  return verifiers.map(verifierKey).join('\n')
}

async function newestNote(transact: Transact): Promise<string> {
  return (await transact(headOf))?.note() ?? ''
}

async function everyTenant(daybook: Daybook): Promise<string[]> {
  const scope = { kind: 'operator', actor: systemActor('audit'), reason: 'to verify every log' } as const
  return daybook.transact(
    scope,
    async em => (await em.find(Organization, {}, { fields: ['id'], orderBy: { id: 'asc' }, filters: false })).map(({ id }) => id),
    { unlogged: true },
  )
}

type Arguments = Awaited<ReturnType<typeof readArguments>>

async function readArguments() {
  const text = { type: 'string' } as const
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      tenant: text,
      'since-checkpoint': text,
      notes: text,
      keys: text,
      'dropped-before': text,
      person: text,
      email: text,
      yes: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
    },
  })
  const { tenant, notes, keys, json, person, email, yes, 'since-checkpoint': since, 'dropped-before': before } = values
  const [command, ...more] = positionals
  const problems: string[] = []
  if (more.length > 0 || !isCommand(command)) throw new UsageError([], usage)
  if (tenant !== undefined && !isId(tenant)) problems.push('--tenant takes the id of an organization.')
  if (person !== undefined && !isId(person)) problems.push('--person takes the id of a user, or of a row that tells of somebody.')
  const isToErase = command === 'erase'
  if (isToErase !== (person !== undefined || email !== undefined))
    problems.push('erase takes --person, --email or both, and nothing else does.')
  const size = since === undefined ? undefined : Number(since)
  if (size !== undefined && (!Number.isSafeInteger(size) || size < 0))
    problems.push(`--since-checkpoint is "${since}", expected a tree size.`)
  if (size !== undefined && !tenant) problems.push('--since-checkpoint needs --tenant: each log has checkpoints of its own.')
  const droppedBefore = before === undefined ? undefined : new Date(before)
  if (droppedBefore && Number.isNaN(droppedBefore.getTime()))
    problems.push(`--dropped-before is "${before}", expected a moment such as 2026-01-01T00:00:00Z.`)
  if (problems.length > 0) throw new UsageError(problems, usage)
  return {
    command,
    tenant: tenant?.toLowerCase(),
    isJson: json,
    erasure: {
      ...(person !== undefined && { person: person.toLowerCase() }),
      ...(email !== undefined && { email: normalizeEmail(asSeen(email)) }),
      isAgreed: yes,
    },
    ...(size !== undefined && { since: size }),
    ...(droppedBefore && { droppedBefore }),
    ...(notes !== undefined && { notes: notesIn(await textOf('--notes', notes)) }),
    ...(keys !== undefined && {
      verifiers: (await textOf('--keys', keys))
        .split('\n')
        .filter(line => line.trim())
        .map(parseVerifierKey),
    }),
  }
}

function isCommand(text: string | undefined): text is (typeof commands)[number] {
  return commands.some(command => command === text)
}

async function textOf(option: string, file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new UsageError([`${option} is "${file}", which can’t be read (${code}). It takes a file.`])
  }
}
