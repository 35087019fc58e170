import type { Ahead } from './ahead.ts'
import type { LogProblem } from './log-problem.ts'
import type { GrowingTree } from './merkle.ts'
import type { StandingEvent, StandingHash } from './sealed-log.ts'

/** How far ahead somebody may look for where an event, or a leaf, has gone. */
const reach = 1_024

export interface Mismatch {
  /** Before the leaf that doesn't fit. */
  readonly tree: GrowingTree
  readonly events: Ahead<StandingEvent>
  readonly leaves: Ahead<StandingHash>
  readonly lastSeq: number | undefined
  /** The next checkpoint whose signature holds. */
  readonly signed: Signed | undefined
}

interface Signed {
  readonly size: number
  readonly root: Buffer
}

/** Names what happened where an event and its leaf differ. Leaves that give the root that was signed are right; then the event is wrong. */
export async function diagnose({ tree, events, leaves, lastSeq, signed }: Mismatch): Promise<LogProblem> {
  const position = tree.size
  const after = lastSeq === undefined ? 'at the beginning' : `behind the event with seq ${lastSeq}`
  const [eventsAhead, leavesAhead] = [await events.window(reach), await leaves.window(reach)]
  const [event, leaf] = [eventsAhead[0], leavesAhead[0]]
  const common = { position, ...(event ? { seq: event.seq, eventId: event.id } : lastSeq !== undefined && { seq: lastSeq }) }
  const nameOf = ({ seq, id }: StandingEvent) => `event ${id} (seq ${seq}, leaf ${position})`
  if (leaf?.position !== position)
    return { ...common, kind: 'tile', message: `The tree has no leaf ${position}: hashes of its tiles are gone.` }
  if (event && signed && (await areRight(events, tree, signed)) && !(await areRight(leaves, tree, signed))) {
    const told = `expected ${leaf.hash.toString('hex')} for ${nameOf(event)}, but the event is as the checkpoint of size ${signed.size} signed it`
    return { ...common, kind: 'tile', message: `A tile was altered: it ${told}.` }
  }
  const wentTo = event ? leavesAhead.findIndex(({ hash }) => hash.equals(event.hash)) : -1
  const cameFrom = eventsAhead.findIndex(({ hash }) => hash.equals(leaf.hash))
  const expected = `expected leaf hash ${leaf.hash.toString('hex')}`
  if (event && wentTo > 0 && cameFrom > 0)
    return { ...common, kind: 'reordered', message: `Reordered: ${nameOf(event)} was sealed as leaf ${position + wentTo}; ${expected}.` }
  if (!event || wentTo > 0) {
    const count = event ? wentTo : leavesAhead.length
    const behind = lastSeq === undefined ? {} : { seq: lastSeq }
    const many = `${count}${event ? '' : ' or more'} events, the first of them leaf ${position}`
    return {
      kind: 'removed',
      position,
      ...behind,
      message: `Removed: ${many}, ${after}; ${expected} and found ${event ? nameOf(event) : 'nothing more'}.`,
    }
  }
  if (cameFrom > 0)
    return {
      ...common,
      kind: 'inserted',
      message: `Inserted: ${nameOf(event)}, ${after}, was never sealed; ${expected}, which comes ${cameFrom} later.`,
    }
  return {
    ...common,
    kind: 'changed',
    message: `Changed: ${nameOf(event)} is not what was sealed; ${expected}, found ${event.hash.toString('hex')}.`,
  }
}

/** Whether these, after the tree, are what was signed. */
async function areRight<T extends { readonly hash: Buffer }>(more: Ahead<T>, tree: GrowingTree, { size, root }: Signed): Promise<boolean> {
  return gives(tree, await more.window(size - tree.size), root)
}

/** Whether the tree, grown by these, comes to the signed root. */
function gives(tree: GrowingTree, more: readonly { readonly hash: Buffer }[], root: Buffer): boolean {
  const grown = tree.branch()
  for (const { hash } of more) grown.add(hash)
  return grown.root().equals(root)
}
