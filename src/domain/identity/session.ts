import { tell } from '../../audit/index.ts'
import { systemActor, userActor } from '../../context/index.ts'
import { now as currentTime } from '../../kernel/clock.ts'
import { digest, newSecret } from '../../kernel/secret.ts'
import type { Daybook, ScopedEntityManager } from '../../orm/index.ts'
import { Session } from './session.entity.ts'
import { User } from './user.entity.ts'

export interface Browser {
  readonly ip?: string
  readonly userAgent?: string
}

export interface OpenedSession {
  readonly session: Session
  /** Shown once, to the browser; the row keeps its digest. */
  readonly token: string
}

const lifetimeMs = 30 * 24 * 3_600_000
const seenEveryMs = 60_000

export function openSession(daybook: Daybook, user: User, browser: Browser = {}, now = currentTime()): Promise<OpenedSession> {
  return daybook.transact({ kind: 'identity', actor: userActor(user) }, em => addSession(em, user.id, browser, now))
}

/** The same in a transaction that is there. */
export async function addSession(em: ScopedEntityManager, userId: string, browser: Browser, now: Date): Promise<OpenedSession> {
  const token = newSecret()
  const person = em.getReference(User, userId)
  const session = em.create(Session, {
    sessionToken: digest(token),
    user: person,
    expires: new Date(now.getTime() + lifetimeMs),
    lastSeenAt: now,
    ip: browser.ip ?? null,
    userAgent: browser.userAgent?.slice(0, 400) ?? null,
  })
  await tell(em, { type: 'auth.signed-in', log: userId, about: person, details: { session: session.id } })
  return { session, token }
}

/** Whose session the token opens, if it still opens one. Looking is remembered at most once a minute. */
export async function authenticateSession(
  daybook: Daybook,
  token: string,
  now = currentTime(),
): Promise<{ user: User; session: Session } | undefined> {
  const found = await openedBy(daybook, digest(token))
  if (!found) return undefined
  const { user, session, em } = found
  if (!session.isLive(now) || !user.isActive()) return undefined
  if (now.getTime() - session.lastSeenAt.getTime() > seenEveryMs) {
    session.lastSeenAt = now
    await em.flush()
  }
  return { user, session }
}

/** The claim opens the session's row to look at; whose it is may then see who they are, in the same message. */
async function openedBy(daybook: Daybook, tokenDigest: string) {
  const params = [tokenDigest]
  const [, [sessionRow] = [], [userRow] = []] = await daybook.ask(
    { kind: 'identity', actor: systemActor('authentication'), claim: { digest: tokenDigest } },
    [
      { sql: `select set_config('daybook.user_id', user_id::text, true) from session where session_token = ?`, params },
      { sql: `select * from session where session_token = ?`, params },
      { sql: `select u.* from session s join app_user u on u.id = s.user_id where s.session_token = ?`, params },
    ],
  )
  if (!sessionRow || !userRow) return undefined
  const em = daybook.scope({ kind: 'identity', actor: userActor(String(userRow.id)) })
  return { user: em.map(User, userRow), session: em.map(Session, sessionRow), em }
}

/** Ends one session; false when the token opens none. */
export async function signOut(daybook: Daybook, token: string, now = currentTime()): Promise<boolean> {
  const found = await authenticateSession(daybook, token, now)
  if (!found) return false
  await daybook.transact({ kind: 'identity', actor: userActor(found.user) }, async em => {
    const session = await em.findOneOrFail(Session, found.session.id)
    session.revoke(now)
    await tell(em, { type: 'auth.signed-out', log: found.user.id, about: found.user, details: { session: session.id } })
  })
  return true
}

/** Ends all of a person's sessions and says how many there were. */
export async function signOutEverywhere(daybook: Daybook, userId: string, now = currentTime()): Promise<number> {
  return daybook.transact({ kind: 'identity', actor: userActor(userId) }, async em => {
    const live = await em.find(Session, { user: userId, revokedAt: null, expires: { $gt: now } })
    for (const session of live) session.revoke(now)
    const about = em.getReference(User, userId)
    await tell(em, { type: 'auth.signed-out-everywhere', log: userId, about, details: { sessions: live.map(({ id }) => id) } })
    return live.length
  })
}

/** Remembers in which organization the browser works. That the person may is checked by whoever calls. */
export async function activateTenant(daybook: Daybook, session: Session, tenantId: string): Promise<void> {
  const em = daybook.scope({ kind: 'identity', actor: userActor(session.user.id) })
  const stored = await em.findOneOrFail(Session, session.id)
  stored.activeTenantId = tenantId
  await em.flush()
}
