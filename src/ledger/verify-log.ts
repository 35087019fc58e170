import type { Transact } from '../orm/index.ts'
import type { Ahead } from './ahead.ts'
import { AuditCheckpoint } from './audit-checkpoint.entity.ts'
import { diagnose } from './diagnosis.ts'
import { LedgerBrokenError, SizeUnknownError } from './ledger.errors.ts'
import { verifiersOf } from './ledger-keys.ts'
import { headOf, logOf } from './log.ts'
import { type LogProblem, Misfit } from './log-problem.ts'
import { GrowingTree, type Node } from './merkle.ts'
import { countUnsealed } from './seal.ts'
import { checkpointsIn, eventsIn, hashesIn, type StandingEvent, type StandingHash } from './sealed-log.ts'
import { type Checkpoint, checkpointText, isSignedBy, openCheckpoint, parseCheckpoint, parseNote, type Verifier } from './signed-note.ts'
import { Tiles } from './tiles.ts'

export interface VerifyOptions {
  /** The size of a checkpoint that was verified before; what it covers is taken as it is. */
  readonly since?: number
  /** Signed notes that were kept where whoever rules the database doesn't. Those of other logs are passed over. */
  readonly notes?: readonly string[]
  /** Keys that were published. Without them, those of this process. */
  readonly verifiers?: readonly Verifier[]
  /** What was recorded before was dropped on purpose; its leaves stand for it. */
  readonly droppedBefore?: Date
  readonly onProgress?: (progress: { readonly position: number; readonly size: number }) => void
}

export interface Verification {
  readonly log: string
  readonly size: number
  /** Events that were looked at, and leaves whose events have been dropped. */
  readonly events: number
  readonly dropped: number
  readonly checkpoints: number
  readonly notes: number
  /** Events that no checkpoint covers yet; a thousand at most are counted. */
  readonly unsealed: number
  readonly problem?: LogProblem
}

/** Numbers and clocks of concurrent writers interleave: so long after the moment a missing event may still be one from before it. */
const interleavedMs = 10_000

/** Goes through a tenant's log and tells the first event that isn't as it was sealed. Memory stays flat, and nothing is locked. */
export async function verifyLog(transact: Transact, options: VerifyOptions = {}): Promise<Verification> {
  const log = await transact(async em => logOf(em))
  const begun = await transact(async em => ({ head: await headOf(em), unsealed: await countUnsealed(em) })).catch(brokenOnly)
  if (begun instanceof LedgerBrokenError) {
    const problem = { kind: 'checkpoint', position: 0, message: begun.message } as const
    return { log, size: 0, events: 0, dropped: 0, checkpoints: 0, notes: 0, unsealed: 0, problem }
  }
  const { head, unsealed } = begun
  const walk = new Walk(transact, options, log, head)
  try {
    await walk.run()
    return { ...walk.counts, log, unsealed }
  } catch (error) {
    if (error instanceof Misfit) return { ...walk.counts, log, unsealed, problem: error.problem }
    const { message } = brokenOnly(error)
    return { ...walk.counts, log, unsealed, problem: { kind: 'tile', position: walk.counts.size, message } }
  }
}

function brokenOnly(error: unknown): LedgerBrokenError {
  if (error instanceof LedgerBrokenError) return error
  throw error
}

class Walk {
  readonly #transact: Transact
  readonly #options: VerifyOptions
  readonly #log: string
  readonly #head: AuditCheckpoint | undefined
  readonly #size: number
  readonly #wholes: { readonly node: Node; readonly hash: Buffer }[] = []
  readonly #upper = new Map<number, Ahead<StandingHash>>()
  #notes: Checkpoint[] = []
  #tree = new GrowingTree()
  #start = 0
  #last: StandingEvent | undefined
  /** The first event since the last checkpoint, unless it was dropped. */
  #first: StandingEvent | undefined
  /** Behind the last leaf whose event is there. */
  #matched = 0
  /** The first event below the tile hash at hand. */
  #below: StandingEvent | undefined
  #upperMisfit: { readonly message: string; readonly first: StandingEvent | undefined } | undefined
  counts: Omit<Verification, 'log' | 'unsealed' | 'problem'>

  constructor(transact: Transact, options: VerifyOptions, log: string, head: AuditCheckpoint | undefined) {
    this.#transact = transact
    this.#options = options
    this.#log = log
    this.#head = head
    this.#size = head?.treeSize ?? 0
    this.counts = { size: this.#size, events: 0, dropped: 0, checkpoints: 0, notes: 0 }
  }

  async run(): Promise<void> {
    this.#notes = await this.#ownNotes()
    const startSeq = await this.#begin()
    const head = this.#head
    const events = eventsIn(this.#transact, startSeq, head?.toSeq ?? startSeq ?? 0)
    const leaves = hashesIn(this.#transact, 0, this.#start, this.#size)
    const checkpoints = checkpointsIn(this.#transact, this.#start + 1, this.#size)
    while (this.#tree.size < this.#size) {
      await this.#step(events, leaves, checkpoints)
      await this.#compareUpper()
      await this.#compareCheckpoints(checkpoints)
      this.#compareNotes()
      if (this.#tree.size % 10_000 === 0) this.#tellProgress()
    }
    this.#tellProgress()
    const surplus = head && (await events.peek())
    if (surplus)
      this.#refuse(
        'inserted',
        `Inserted: event ${surplus.id} (seq ${surplus.seq}) lies before the end of what is sealed, and never was.`,
        surplus,
      )
    await this.#refuseTruncated()
  }

  /** Where it begins; the number of the last event that is taken as it is. */
  async #begin(): Promise<number | undefined> {
    const { since } = this.#options
    if (since === undefined || since === 0) {
      this.#tree = new GrowingTree(this.#onWhole)
      return undefined
    }
    const [row] = await this.#transact(em =>
      em.find(AuditCheckpoint, { treeSize: since, anchorTarget: null }, { disableIdentityMap: true }),
    )
    if (!row) throw new SizeUnknownError(since)
    this.#tree = await this.#transact(em => new Tiles(em, this.#log).at(since, this.#onWhole))
    this.#start = since
    await this.#compareCheckpoint(row)
    this.#compareNotes()
    return row.toSeq
  }

  readonly #onWhole = (node: Node, hash: Buffer): void => {
    if (node.level % 8 === 0) this.#wholes.push({ node, hash })
  }

  async #step(events: Ahead<StandingEvent>, leaves: Ahead<StandingHash>, checkpoints: Ahead<AuditCheckpoint>): Promise<void> {
    const [event, leaf] = [await events.peek(), await leaves.peek()]
    if (leaf?.position === this.#tree.size) {
      if (event?.hash.equals(leaf.hash)) {
        await Promise.all([events.next(), leaves.next()])
        if (this.#tree.size % 256 === 0) this.#below = event
        this.#tree.add(leaf.hash)
        this.#first ??= event
        this.#last = event
        this.#matched = this.#tree.size
        this.counts = { ...this.counts, events: this.counts.events + 1 }
        return
      }
      if (await this.#wasDropped(event, leaf, leaves)) {
        await leaves.next()
        this.#tree.add(leaf.hash)
        this.counts = { ...this.counts, dropped: this.counts.dropped + 1 }
        return
      }
    }
    const signed = await this.#nextSigned(checkpoints)
    throw new Misfit(await diagnose({ tree: this.#tree, events, leaves, lastSeq: this.#last?.seq, signed }))
  }

  async #wasDropped(event: StandingEvent | undefined, leaf: StandingHash, leaves: Ahead<StandingHash>): Promise<boolean> {
    const before = this.#options.droppedBefore?.getTime()
    if (before === undefined || (this.#last && this.#last.recordedAt > before + interleavedMs)) return false
    if (!event || (leaf.toSeq !== null && leaf.toSeq < event.seq)) return true
    return (await leaves.window(256)).some(({ hash }) => hash.equals(event.hash))
  }

  /** Each level's tiles hold what the level below gives. What doesn't fit is told once a checkpoint says whether the events do. */
  async #compareUpper(): Promise<void> {
    for (const { node, hash } of this.#wholes.splice(0)) {
      const level = node.level / 8
      const width = 256 ** level
      const stored =
        this.#upper.get(level) ?? hashesIn(this.#transact, level, Math.floor(this.#start / width), Math.floor(this.#size / width))
      this.#upper.set(level, stored)
      const found = await stored.next()
      if (this.#upperMisfit || (found?.position === node.index && found.hash.equals(hash))) continue
      const instead = found?.position === node.index ? found.hash.toString('hex') : 'none'
      const message = `A tile was altered: hash ${node.index} of level ${level} doesn’t follow from the events below it; expected ${hash.toString('hex')}, found ${instead}.`
      this.#upperMisfit = { message, first: this.#below }
    }
  }

  async #compareCheckpoints(checkpoints: Ahead<AuditCheckpoint>): Promise<void> {
    let [row, isChecked] = [await checkpoints.peek(), false]
    for (; row && row.treeSize <= this.#tree.size; row = await checkpoints.peek()) {
      await checkpoints.next()
      await this.#compareCheckpoint(row)
      this.#compareSpan(row)
      isChecked = true
    }
    if (isChecked) this.#first = undefined
  }

  async #compareCheckpoint(row: AuditCheckpoint): Promise<void> {
    const { size, root } = row.checkpoint()
    const verifiers = await this.#verifiersOf(row.origin)
    if (!row.origin.endsWith(`/${this.#log}`))
      this.#refuse('checkpoint', `Checkpoint ${size} is another log’s: its origin is ${row.origin}.`)
    if (!isSigned(row, verifiers))
      this.#refuse(
        'checkpoint',
        `The signature of checkpoint ${size} is by none of ${verifiers.length} known keys, or what it signs was altered.`,
      )
    if (size !== this.#tree.size || !root.equals(this.#tree.root())) {
      const first = this.#upperMisfit?.first ?? this.#first
      const found = `expected root ${row.rootHash}, the events up to there give ${this.#tree.root().toString('base64')}`
      this.#refuse(
        'rewritten',
        `Events, leaves or both were rewritten before leaf ${size}, the first of them ${placeOf(first)}: ${found}.`,
        first,
      )
    }
    if (this.#upperMisfit) this.#refuse('tile', this.#upperMisfit.message)
    this.counts = { ...this.counts, checkpoints: this.counts.checkpoints + 1 }
  }

  /** What the signature doesn't cover: from which event to which. */
  #compareSpan({ treeSize, fromSeq, toSeq }: AuditCheckpoint): void {
    const first = this.counts.dropped > 0 ? undefined : this.#first
    const last = this.#matched === treeSize ? this.#last : undefined
    if ((first && first.seq !== fromSeq) || (last && last.seq !== toSeq))
      this.#refuse(
        'checkpoint',
        `Checkpoint ${treeSize} says that it spans the events from seq ${fromSeq} to ${toSeq}; it spans ${first?.seq} to ${last?.seq}. It was altered, or one before it is gone.`,
      )
  }

  #compareNotes(): void {
    for (let note = this.#notes[0]; note && note.size <= this.#tree.size; note = this.#notes[0]) {
      this.#notes.shift()
      if (note.size < this.#tree.size) continue
      if (!note.root.equals(this.#tree.root())) {
        const roots = `it says root ${note.root.toString('base64')}, the log gives ${this.#tree.root().toString('base64')}`
        this.#refuse('note', `The log isn’t the one of the note of size ${note.size}: ${roots}. Log and checkpoints were rewritten since.`)
      }
      this.counts = { ...this.counts, notes: this.counts.notes + 1 }
    }
  }

  /** Newest events whose leaves and checkpoints have gone with them leave no trace here. */
  async #refuseTruncated(): Promise<void> {
    const note = this.#notes.at(-1)
    if (note)
      this.#refuse('note', `A note of size ${note.size} was published, and this log has ${this.#size} leaves: its newest events are gone.`)
    const [beyond] = await this.#transact(async em => {
      const now = (await headOf(em))?.treeSize ?? 0
      return em.execute<{ position: string }[]>(
        `select position::text from ledger_tile where tenant_id = ? and level = 0 and position >= ? limit 1`,
        [this.#log, now],
      )
    })
    if (beyond)
      this.#refuse('checkpoint', `The tree goes on behind the newest checkpoint, at leaf ${beyond.position}: checkpoints are gone.`)
  }

  async #ownNotes(): Promise<Checkpoint[]> {
    const found: Checkpoint[] = []
    for (const note of this.#options.notes ?? []) {
      const { origin, size } = parseCheckpoint(parseNote(note).text)
      if (!origin.endsWith(`/${this.#log}`)) continue
      const checkpoint = openCheckpoint(note, await this.#verifiersOf(origin))
      if (!checkpoint) this.#refuse('note', `The note of size ${size} is signed by none of the known keys, so it proves nothing.`)
      else found.push(checkpoint)
    }
    return found.filter(({ size }) => size > 0).toSorted((one, other) => one.size - other.size)
  }

  async #nextSigned(checkpoints: Ahead<AuditCheckpoint>): Promise<Checkpoint | undefined> {
    for (const row of await checkpoints.window(8)) if (isSigned(row, await this.#verifiersOf(row.origin))) return row.checkpoint()
    return undefined
  }

  readonly #known = new Map<string, readonly Verifier[]>()
  async #verifiersOf(origin: string): Promise<readonly Verifier[]> {
    const { verifiers } = this.#options
    const found =
      this.#known.get(origin) ?? verifiers?.filter(({ name }) => name === origin) ?? (await this.#transact(em => verifiersOf(em, origin)))
    this.#known.set(origin, found)
    return found
  }

  #tellProgress(): void {
    this.#options.onProgress?.({ position: this.#tree.size, size: this.#size })
  }

  #refuse(kind: LogProblem['kind'], message: string, event?: StandingEvent): never {
    throw new Misfit({ kind, position: this.#tree.size, ...(event && { seq: event.seq, eventId: event.id }), message })
  }
}

function placeOf(event: StandingEvent | undefined): string {
  return event ? `at or behind event ${event.id} (seq ${event.seq})` : 'among those that were dropped'
}

function isSigned(row: AuditCheckpoint, verifiers: readonly Verifier[]): boolean {
  const [text, signature] = [checkpointText(row.checkpoint()), { name: row.origin, bytes: Buffer.from(row.signature, 'base64') }]
  return verifiers.some(verifier => isSignedBy(text, signature, verifier))
}
