import { createPrivateKey, createPublicKey, hash, type KeyObject, sign, verify } from 'node:crypto'
import { oncePer } from '../kernel/once-per.ts'
import { NoteMalformedError } from './ledger.errors.ts'

/** Signed notes and checkpoints as C2SP describes them (signed-note, tlog-checkpoint), with Ed25519. No database here. */
export interface Checkpoint {
  /** Which log this is, and the name of its key. */
  readonly origin: string
  readonly size: number
  readonly root: Buffer
}

export interface NoteSignature {
  readonly name: string
  /** Four bytes that tell which key it is, and the signature. */
  readonly bytes: Buffer
}

export interface SignedNote {
  readonly text: string
  readonly signatures: readonly NoteSignature[]
}

/** Whoever signs checkpoints. */
export interface Signer {
  readonly privateKey: KeyObject
  readonly publicKey: Buffer
}

/** A key by which anyone can check a log's checkpoints. */
export interface Verifier {
  readonly name: string
  readonly publicKey: Buffer
}

const ed25519 = 1
const keyIdBytes = 4
const pkcs8 = Buffer.from('302e020100300506032b657004220420', 'hex')
const spki = Buffer.from('302a300506032b6570032100', 'hex')

export function signerFrom(seed: Buffer): Signer {
  const privateKey = createPrivateKey({ key: Buffer.concat([pkcs8, seed]), format: 'der', type: 'pkcs8' })
  const publicKey = createPublicKey(privateKey).export({ format: 'der', type: 'spki' }).subarray(spki.length)
  return { privateKey, publicKey }
}

export function checkpointText({ origin, size, root }: Checkpoint): string {
  return `${origin}\n${size}\n${root.toString('base64')}\n`
}

export function signNote(text: string, name: string, { privateKey, publicKey }: Signer): NoteSignature {
  return { name, bytes: Buffer.concat([keyIdOf({ name, publicKey }), sign(null, Buffer.from(text), privateKey)]) }
}

export function noteText({ text, signatures }: SignedNote): string {
  return `${text}\n${signatures.map(({ name, bytes }) => `— ${name} ${bytes.toString('base64')}\n`).join('')}`
}

export function parseNote(note: string): SignedNote {
  const end = note.lastIndexOf('\n\n')
  const lines = note.slice(end + 2).split('\n')
  const isWhole = end > 0 && lines.length > 1 && lines.at(-1) === ''
  const signatures = lines.slice(0, -1).map(line => /^— ([^\s+]+) ([A-Za-z0-9+/]+={0,2})$/.exec(line))
  if (!isWhole || !signatures.every(found => found !== null)) throw new NoteMalformedError('a text, an empty line and signatures')
  return {
    text: note.slice(0, end + 1),
    signatures: signatures.map(([, name, bytes]) => ({ name: name!, bytes: Buffer.from(bytes!, 'base64') })),
  }
}

export function parseCheckpoint(text: string): Checkpoint {
  const found = /^([^\n]+)\n(0|[1-9]\d{0,15})\n([A-Za-z0-9+/]{43}=)\n(?:[^\n]+\n)*$/.exec(text)
  if (!found) throw new NoteMalformedError('an origin, a size and a root hash')
  return { origin: found[1]!, size: Number(found[2]), root: Buffer.from(found[3]!, 'base64') }
}

/** The checkpoint in a note that one of these keys has signed in the log's own name; undefined when none has. */
export function openCheckpoint(note: string, verifiers: readonly Verifier[]): Checkpoint | undefined {
  const { text, signatures } = parseNote(note)
  const checkpoint = parseCheckpoint(text)
  const own = verifiers.filter(({ name }) => name === checkpoint.origin)
  return own.some(verifier => signatures.some(signature => isSignedBy(text, signature, verifier))) ? checkpoint : undefined
}

export function isSignedBy(text: string, { name, bytes }: NoteSignature, verifier: Verifier): boolean {
  if (name !== verifier.name || !bytes.subarray(0, keyIdBytes).equals(keyIdOf(verifier))) return false
  return verify(null, Buffer.from(text), keyFrom(verifier.publicKey), bytes.subarray(keyIdBytes))
}

const keyFrom = oncePer((publicKey: Buffer) => createPublicKey({ key: Buffer.concat([spki, publicKey]), format: 'der', type: 'spki' }))

/** Whether a signature says of itself that this key made it. */
export function namesKey({ name, bytes }: NoteSignature, verifier: Verifier): boolean {
  return name === verifier.name && bytes.subarray(0, keyIdBytes).equals(keyIdOf(verifier))
}

/** `<name>+<key id>+<key>`: how C2SP writes a key that is published. */
export function verifierKey(verifier: Verifier): string {
  const { name, publicKey } = verifier
  return `${name}+${keyIdOf(verifier).toString('hex')}+${Buffer.concat([Buffer.from([ed25519]), publicKey]).toString('base64')}`
}

export function parseVerifierKey(key: string): Verifier {
  const [, name, id, text] = /^([^\s+]+)\+([0-9a-f]{8})\+(\S+)$/.exec(key.trim()) ?? []
  const bytes = Buffer.from(text ?? '', 'base64')
  const verifier = { name: name ?? '', publicKey: bytes.subarray(1) }
  if (bytes[0] !== ed25519 || bytes.length !== 33 || keyIdOf(verifier).toString('hex') !== id)
    throw new NoteMalformedError('a verifier key, <name>+<key id>+<Ed25519 key>')
  return verifier
}

/** Notes one after the other, as an anchor's file keeps them. */
export function notesIn(text: string): string[] {
  return [...text.replaceAll('\r\n', '\n').matchAll(/[^\n]+\n(?:[^\n]+\n)+\n(?:— [^\n]+\n)+/g)].map(([note]) => note)
}

function keyIdOf({ name, publicKey }: Verifier): Buffer {
  return hash('sha256', Buffer.concat([Buffer.from(`${name}\n`), Buffer.from([ed25519]), publicKey]), 'buffer').subarray(0, keyIdBytes)
}
