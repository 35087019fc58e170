import { readFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { readDatabaseConfig } from '../config.ts'
import { systemActor } from '../context/index.ts'
import { normalizeEmail, Organization } from '../entities.ts'
import { isId } from '../kernel/id.ts'
import { newKey } from '../kernel/keyring.ts'
import { asSeen } from '../kernel/seen-text.ts'
import {
  headOf,
  notesIn,
  originOf,
  parseCheckpoint,
  parseNote,
  parseVerifierKey,
  type Verification,
  verifierKey,
  verifiersOf,
  verifyLog,
} from '../ledger/index.ts'
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
  const logs = tenant ? [tenant] : await everyLog(daybook, logsNoted(daybook, options.notes))
  let code = 0
  for (const log of logs) {
    const actor = systemActor('audit')
    const transact: Transact = work => daybook.transact({ tenant: log, actor, reason: `audit ${command}` }, work, { unlogged: true })
    if (command === 'verify') code = Math.max(code, await verifyOne(transact, log, options, logs.length > 1))
    else {
      await refuseUnknown(transact, log)
      console.log(await (command === 'keys' ? keysOf(transact, daybook, log) : newestNote(transact)))
    }
  }
  return code
}

async function refuseUnknown(transact: Transact, log: string): Promise<void> {
  const there = await transact(async em => (await headOf(em)) ?? (await em.findOne(Organization, { id: log }, { filters: false })))
  if (!there) throw new UsageError([`There is no log ${log}, and no organization of that id. Check it: nothing was done.`])
}

/** What can't be verified of one log is told, and the others still are. */
async function verifyOne(transact: Transact, log: string, options: VerifyArguments, areMore: boolean): Promise<number> {
  try {
    return await verify(transact, log, options)
  } catch (error) {
    if (!areMore) throw error
    const words = wordsOf(error)
    console.error(`${log}: could not be verified.`, words)
    return 2
  }
}

type VerifyArguments = Omit<Arguments, 'command' | 'tenant' | 'erasure'>

async function verify(transact: Transact, log: string, { isJson, ...options }: VerifyArguments): Promise<number> {
  const startedAt = performance.now()
  let toldAt = startedAt
  const rateOf = (leaves: number) => Math.round((leaves / Math.max(1, performance.now() - startedAt)) * 1_000)
  const onProgress = ({ position, size }: { position: number; size: number }) => {
    if (isJson || performance.now() - toldAt < 2_000) return
    toldAt = performance.now()
    console.error(`  leaf ${position} of ${size}, ${rateOf(position - (options.since ?? 0))} events/s`)
  }
  const found = await verifyLog(transact, { ...options, onProgress })
  if (found.size === 0 && found.unsealed === 0 && !found.problem) await refuseUnknown(transact, log)
  const rate = rateOf(found.events + found.dropped)
  console.log(isJson ? JSON.stringify({ ...found, eventsPerSecond: rate }) : sentence(found, rate, options.notes !== undefined))
  return found.problem ? 1 : 0
}

function sentence(
  { log, size, events, dropped, checkpoints, notes, unsealed, problem }: Verification,
  rate: number,
  isByNotes: boolean,
): string {
  const gone = dropped > 0 ? `, ${dropped} dropped ones are vouched for by their leaves` : ''
  const kept = notes > 0 || isByNotes ? ` and ${notes} notes` : ''
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

/** Also of organizations that are gone: who removes one mustn't hide its log by that, nor a log of which a note was published. */
async function everyLog(daybook: Daybook, noted: readonly string[]): Promise<string[]> {
  const scope = { kind: 'operator', actor: systemActor('audit'), reason: 'to verify every log' } as const
  return daybook.transact(
    scope,
    async em => {
      const there = await em.execute<{ log: string }[]>(
        'select id as log from organization union select tenant_id from audit_checkpoint where anchor_target is null',
      )
      return [...new Set([...there.map(({ log }) => log), ...noted])].toSorted()
    },
    { unlogged: true },
  )
}

/** Those of this installation; notes of others may stand in the same place. */
function logsNoted({ installation }: Daybook, notes: readonly string[] = []): string[] {
  const origins = notes.map(note => parseCheckpoint(parseNote(note).text).origin)
  const logs = origins.map(origin => origin.slice(origin.lastIndexOf('/') + 1))
  return logs.filter((log, place) => isId(log) && origins[place] === originOf(installation, log))
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
    ...(notes !== undefined && { notes: someNotes(notes, await textOf('--notes', notes)) }),
    ...(keys !== undefined && {
      verifiers: (await textOf('--keys', keys))
        .split('\n')
        .filter(line => line.trim())
        .map(parseVerifierKey),
    }),
  }
}

function someNotes(file: string, text: string): string[] {
  const notes = notesIn(text)
  if (notes.length === 0) throw new UsageError([`--notes is "${file}", in which there is no note: nothing would be compared.`])
  return notes
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
