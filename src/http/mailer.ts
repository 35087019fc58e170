import { randomUUID } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { FastifyBaseLogger } from 'fastify'
import { atMost } from '../kernel/at-most.ts'
import { HostBusyError } from './http.errors.ts'

export interface Mail {
  readonly to: string
  readonly subject: string
  readonly text: string
  readonly headers?: Readonly<Record<string, string>>
}

export interface Mailer {
  send(mail: Mail): Promise<void>
}

/** Writes each mail into a folder, so that a newcomer can read a token without any secret being logged. */
export function folderMailer(directory: string): Mailer {
  return {
    async send({ to, subject, text, headers = {} }) {
      await mkdir(directory, { recursive: true, mode: 0o700 })
      const file = `${new Date().toISOString().replaceAll(':', '-')}-${randomUUID().slice(0, 8)}.txt`
      const head = Object.entries({ To: to, Subject: subject, ...headers }).map(([name, value]) => `${name}: ${value}\n`)
      await writeFile(join(directory, file), `${head.join('')}\n${text}\n`, { mode: 0o600 })
    },
  }
}

/** Strangers may ask for as much as they like, from as many addresses: what is looked up for them leaves the pool to others, and has an end. */
const lookedUpAtOnce = 4
const mostUnderWay = 1_000

/**
 * Hands mails to the mailer without waiting for it: an answer that took as long as a mail would tell that the address is known. What is
 * under way is waited for at shutdown.
 */
export class Outbox {
  readonly #mailer: Mailer | undefined
  readonly #log: FastifyBaseLogger
  readonly #underWay = new Set<Promise<void>>()
  readonly #inTurn = atMost(lookedUpAtOnce)

  constructor(mailer: Mailer | undefined, log: FastifyBaseLogger) {
    this.#mailer = mailer
    this.#log = log
  }

  send(mail: Mail): void {
    this.#follow(this.#deliver(mail))
  }

  /**
   * For what nobody waits for either, because the time that it takes would tell whether there is anything to be sent. Refused before anything is
   * looked up, and so to everybody alike, while there is too much to do.
   */
  sendWhatComesOf(look: () => Promise<Mail | undefined>): void {
    if (this.#underWay.size >= mostUnderWay) throw new HostBusyError('mails')
    this.#follow(this.#sendFound(look))
  }

  async settle(): Promise<void> {
    await Promise.allSettled(this.#underWay)
  }

  #follow(work: Promise<void>): void {
    const underWay = work.finally(() => this.#underWay.delete(underWay))
    this.#underWay.add(underWay)
  }

  async #sendFound(look: () => Promise<Mail | undefined>): Promise<void> {
    try {
      const mail = await this.#inTurn(look)
      if (mail) await this.#deliver(mail)
    } catch (error) {
      // An application's own log would tell all of it, with the statement and its values.
      this.#log.error({ code: (error as { readonly code?: unknown }).code }, 'a mail could not be written')
    }
  }

  /** What a mailer throws may quote the mail, and the mail holds a token, so only the subject is logged. */
  async #deliver(mail: Mail): Promise<void> {
    try {
      await this.#mailer?.send(mail)
    } catch {
      this.#log.error({ mail: mail.subject }, 'a mail could not be sent')
    }
  }
}
