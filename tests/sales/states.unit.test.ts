import { describe, expect, test } from 'vitest'
import {
  AIInsight,
  Campaign,
  CampaignEnrollment,
  campaignStatuses,
  campaignTransitions,
  EmailSequence,
  insightStatuses,
  insightTransitions,
  Message,
  messageStatuses,
  messageTransitions,
  Prospect,
  prospectStatuses,
  prospectTransitions,
  sequenceStatuses,
  sequenceTransitions,
} from '../../src/entities.ts'

const at = new Date('2026-11-23T10:00:00Z')
const later = new Date('2026-11-23T11:00:00Z')
const every = <S extends string>(statuses: readonly S[]) => statuses.flatMap(from => statuses.map(to => [from, to] as const))
const refused = expect.objectContaining({ code: 'state.transition_refused' })

/** Whether something becomes what it may, and nothing else. */
function holds<S extends string>(some: { status: S }, isAllowed: boolean, to: S, move: () => void): void {
  const from = some.status
  if (isAllowed) move()
  else expect(move).toThrow(refused)
  expect(some.status).toBe(isAllowed ? to : from)
}

describe('a prospect', () => {
  const moves: Readonly<Record<string, (prospect: Prospect) => void>> = {
    QUALIFIED: prospect => prospect.qualify(),
    CONTACTED: prospect => prospect.contact(),
    ENGAGED: prospect => prospect.engage(),
    WON: prospect => prospect.win(),
    LOST: prospect => prospect.lose(),
  }

  test.each(every(prospectStatuses).filter(([, to]) => to !== 'NEW'))('that is %s becomes %s only if it may', (from, to) => {
    const prospect = Object.assign(new Prospect(), { status: from })
    holds(prospect, prospectTransitions[from].includes(to), to, () => moves[to]!(prospect))
  })

  test('is never new again', () => {
    expect(Object.values(prospectTransitions).flat()).not.toContain('NEW')
  })

  test('that is deleted again keeps when it was', () => {
    const prospect = Object.assign(new Prospect(), { status: 'NEW' as const })
    expect(prospect.isOpen()).toBe(true)
    prospect.softDelete(at)
    prospect.softDelete(later)
    expect(prospect.deletedAt).toEqual(at)
    expect(prospect.isOpen()).toBe(false)
    prospect.restore()
    expect(prospect.isOpen()).toBe(true)
  })

  test.each(prospectStatuses)('that is %s is open or settled', status => {
    expect(Object.assign(new Prospect(), { status }).isOpen()).toBe(status !== 'WON' && status !== 'LOST')
  })
})

describe('a sequence', () => {
  const step = { position: 1, channel: 'SMS' as const, bodyTemplate: 'Hello {{firstName}}' }
  const moves: Readonly<Record<string, (sequence: EmailSequence) => void>> = {
    ACTIVE: sequence => sequence.activate([step]),
    PAUSED: sequence => sequence.pause(),
    ARCHIVED: sequence => sequence.archive(),
  }

  test.each(every(sequenceStatuses).filter(([, to]) => to !== 'DRAFT'))('that is %s becomes %s only if it may', (from, to) => {
    const sequence = Object.assign(new EmailSequence(), { status: from })
    holds(sequence, sequenceTransitions[from].includes(to), to, () => moves[to]!(sequence))
  })

  const email = { ...step, channel: 'EMAIL' as const, subject: 'Hello' }
  test.each([
    ['no step', [], /no step/],
    ['a gap', [step, { ...step, position: 3 }], /step 2 is missing/],
    ['no first step', [{ ...step, position: 2 }], /step 1 is missing/],
    ['two of a position', [step, { ...step }], /step 2 is missing/],
    ['an unknown placeholder', [{ ...step, bodyTemplate: 'Your {{salary}}' }], /step 1: \{\{salary\}\} is unknown/],
    ['one in a subject', [{ ...email, subject: '{{first name}}' }], /first name/],
    ['one of every object', [{ ...step, bodyTemplate: '{{constructor}}' }], /constructor/],
    ['an empty placeholder', [{ ...step, bodyTemplate: '{{}}' }], /\{\{\}\} is unknown/],
    ['an open brace', [{ ...step, bodyTemplate: 'Hello {{firstName}' }], /left open/],
    ['a brace that opens nothing', [{ ...step, bodyTemplate: 'Hello firstName}}' }], /left open/],
    ['braces in braces', [{ ...step, bodyTemplate: '{{{{firstName}}}}' }], /left open/],
    ['an e-mail without a subject', [{ ...email, subject: ' ' }], /subject/],
  ])('with %s isn’t activated', (_what, steps, why) => {
    const sequence = Object.assign(new EmailSequence(), { status: 'DRAFT' as const })
    expect(() => sequence.activate(steps)).toThrow(
      expect.objectContaining({ code: 'sales.sequence_invalid', message: expect.stringMatching(why) }),
    )
    expect(sequence.status).toBe('DRAFT')
  })

  test('whose steps come in any order is activated', () => {
    const sequence = Object.assign(new EmailSequence(), { status: 'PAUSED' as const })
    sequence.activate([{ ...step, position: 2 }, email])
    expect(sequence.status).toBe('ACTIVE')
  })
})

describe('a campaign', () => {
  const moves: Readonly<Record<string, (campaign: Campaign) => void>> = {
    DRAFT: campaign => campaign.unschedule(),
    SCHEDULED: campaign => campaign.schedule(),
    RUNNING: campaign => campaign.run(),
    PAUSED: campaign => campaign.pause(),
    DONE: campaign => campaign.finish(),
  }

  test.each(every(campaignStatuses))('that is %s becomes %s only if it may', (from, to) => {
    const campaign = Object.assign(new Campaign(), { status: from, startsAt: at })
    holds(campaign, campaignTransitions[from].includes(to), to, () => moves[to]!(campaign))
  })

  test('without a start isn’t scheduled', () => {
    const campaign = Object.assign(new Campaign(), { status: 'DRAFT' as const })
    expect(() => campaign.schedule()).toThrow(expect.objectContaining({ code: 'sales.campaign_undated' }))
  })
})

describe('a message', () => {
  test.each(every(messageStatuses))('that is %s and told as %s goes on or stays, and never back', (from, to) => {
    const message = Object.assign(new Message(), { status: from })
    const isNews = messageTransitions[from].includes(to)
    expect(message.tell(to, at)).toBe(isNews)
    expect(message.status).toBe(isNews ? to : from)
  })

  test('comes to the same end in whatever order it is told of', () => {
    const orders = (rest: readonly Told[]): Told[][] =>
      rest.length === 0 ? [[]] : rest.flatMap(one => orders(rest.filter(each => each !== one)).map(more => [one, ...more]))
    type Told = 'SENT' | 'DELIVERED' | 'OPENED' | 'REPLIED'
    for (const order of orders(['SENT', 'DELIVERED', 'OPENED', 'REPLIED'])) {
      const message = Object.assign(new Message(), { status: 'QUEUED' as const })
      for (const told of order) message.tell(told, at)
      expect(message).toMatchObject({ status: 'REPLIED', sentAt: at, openedAt: at, repliedAt: at })
    }
  })

  test('keeps the first moment of what is told twice', () => {
    const message = Object.assign(new Message(), { status: 'SENT' as const })
    message.tell('OPENED', at)
    expect(message.tell('OPENED', later)).toBe(false)
    expect(message.openedAt).toEqual(at)
  })

  test.each(['OPENED', 'REPLIED'] as const)('that came back was not %s', told => {
    const message = Object.assign(new Message(), { status: 'BOUNCED' as const })
    message.tell(told, at)
    expect(message).toMatchObject({ status: 'BOUNCED' })
    expect([message.openedAt, message.repliedAt]).toEqual([undefined, undefined])
  })
})

describe('an insight', () => {
  test.each(every(insightStatuses).filter(([, to]) => to !== 'NEW'))('that is %s becomes %s only if it may', (from, to) => {
    const insight = Object.assign(new AIInsight(), { status: from })
    holds(insight, insightTransitions[from].includes(to), to, () => insight.judge(to as 'ACCEPTED', 'So it is.', at))
    expect(insight.reason).toBe(insightTransitions[from].includes(to) ? 'So it is.' : undefined)
  })
})

test('an enrolment stops once, for the first reason', () => {
  const enrollment = new CampaignEnrollment()
  enrollment.stop('REPLIED', at)
  enrollment.stop('BOUNCED', later)
  expect(enrollment).toMatchObject({ stoppedAt: at, stopReason: 'REPLIED' })
})
