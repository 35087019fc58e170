import type { FastifyRequest } from 'fastify'

const patienceMs = 10_000

/** Whoever sends a few words byte by byte holds a connection for ten seconds at the most; a file may take its time. */
export async function hurryBodies({ raw, routeOptions }: FastifyRequest): Promise<void> {
  if (routeOptions.config.takesTime || raw.complete) return
  const timer = setTimeout(() => raw.destroy(), patienceMs)
  for (const over of ['end', 'close']) raw.once(over, () => clearTimeout(timer))
}
