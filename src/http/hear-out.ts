import type { FastifyRequest } from 'fastify'
import type { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'

const patienceMs = 5_000

/**
 * Node closes a connection as soon as its last answer is written. Where the other side is still sending, the system then resets it, and what was
 * answered may be lost on the way: whoever sends a file too many is told nothing, and a proxy makes a 502 of it. So what still comes is read and
 * forgotten, for a while.
 */
export async function hearOut({ raw }: FastifyRequest): Promise<void> {
  const { socket, headers } = raw
  if (headers['content-length'] === undefined && headers['transfer-encoding'] === undefined) return
  if (!(socket instanceof Socket)) return // injected, without a connection
  const isNew = !sending.has(socket)
  sending.set(socket, raw)
  if (!isNew) return
  const close = socket.destroySoon.bind(socket)
  socket.destroySoon = () => {
    const request = sending.get(socket)!
    if (request.complete || socket.destroyed) return close()
    const timer = setTimeout(() => socket.destroy(), patienceMs).unref()
    socket.once('close', () => clearTimeout(timer))
    request.once('end', close)
    socket.end()
  }
}

/** The last request with a body on each connection. */
const sending = new WeakMap<Socket, IncomingMessage>()
