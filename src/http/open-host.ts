import type { FastifyInstance } from 'fastify'
import { taskTools } from '../domain/agents/index.ts'
import { type Counter, keepHost } from './host-state.ts'
import { Listeners } from './listeners.ts'
import { Outbox } from './mailer.ts'
import { RecentKeys } from './recent-keys.ts'
import type { Shares } from './shares.ts'
import { defaultSessionCookie, type MountOptions, type PluginOptions } from './options.ts'

/** Gives the routes below `instance` what they share, until it closes. */
export function openHost(instance: FastifyInstance, options: PluginOptions & MountOptions, throttle?: Counter, shares?: Shares): void {
  const outbox = new Outbox(options.mailer, instance.log)
  const closing = new AbortController()
  instance.addHook('preClose', async () => closing.abort())
  instance.addHook('onClose', () => outbox.settle())
  keepHost(instance, {
    database: options.daybook,
    outbox,
    allowedOrigins: new Set(options.allowedOrigins),
    sessionCookie: options.sessionCookie ?? defaultSessionCookie,
    secureCookie: options.secureCookie ?? false,
    recentKeys: new RecentKeys(),
    listeners: new Listeners(options.listeners),
    problems: options.problems ?? {},
    tools: { ...taskTools, ...options.tools },
    ...(throttle && { throttle }),
    ...(shares && { shares }),
    closing: closing.signal,
  })
}
