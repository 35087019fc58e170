import type { FastifyBaseLogger } from 'fastify'
import { setImmediate as turn } from 'node:timers/promises'
import { beforeEach, describe, expect, test } from 'vitest'
import { type Mail, Outbox } from '../../src/http/mailer.ts'

const mail = (to: string): Mail => ({ to, subject: 'A new password', text: 'token' })
const log = { error: () => undefined } as unknown as FastifyBaseLogger

describe('what is looked up for strangers', () => {
  let sent: string[]
  let outbox: Outbox
  /** Lets the next ones go on. */
  let release: (() => void)[]
  const held = () => new Promise<void>(resolve => void release.push(resolve))
  const ask = (to: string, isKnown = true) =>
    outbox.sendWhatComesOf(async () => {
      await held()
      return isKnown ? mail(to) : undefined
    })
  const finish = async (settled: Promise<void>) => {
    const over = settled.then(() => 'over')
    do for (const go of release.splice(0)) go()
    while ((await Promise.race([over, turn()])) !== 'over')
  }

  beforeEach(() => {
    sent = []
    release = []
    outbox = new Outbox({ send: async ({ to }) => void sent.push(to) }, log)
  })

  test('is looked up a few at a time, all of it, and whoever closes waits for it', async () => {
    for (let each = 0; each < 20; each++) ask(`${each}@example.com`, each % 2 === 0)
    await turn()
    expect(release).toHaveLength(4)
    await finish(outbox.settle())
    expect(sent).toHaveLength(10)
  })

  test('is refused while there is too much of it, known or not, and taken again afterwards', async () => {
    for (let each = 0; each < 1_000; each++) ask(`${each}@example.com`, false)
    for (const isKnown of [true, false])
      expect(() => ask('one-more@example.com', isKnown)).toThrow(expect.objectContaining({ code: 'http.busy' }))
    await finish(outbox.settle())
    ask('later@example.com')
    await finish(outbox.settle())
    expect(sent).toEqual(['later@example.com'])
  })

  test('holds its place until its mail is gone, so that a mailer that is slow doesn’t pile them up either', async () => {
    outbox = new Outbox({ send: held }, log)
    for (let each = 0; each < 1_000; each++) outbox.sendWhatComesOf(async () => mail(`${each}@example.com`))
    while (release.length < 1_000) await turn()
    expect(() => ask('one-more@example.com')).toThrow(expect.objectContaining({ code: 'http.busy' }))
    await finish(outbox.settle())
  })

  test('that fails makes room for others', async () => {
    for (let each = 0; each < 8; each++) outbox.sendWhatComesOf(() => Promise.reject(new Error('no database')))
    ask('later@example.com')
    await finish(outbox.settle())
    expect(sent).toEqual(['later@example.com'])
  })
})
