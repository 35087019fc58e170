import { expect } from 'vitest'
import type { HostOptions } from '../../src/http/index.ts'
import { Caller, openTestHost, password, roleIdOf, type SignedUp, signUp, type TestHost, tokenFor } from './test-host.ts'

export const base = '/organizations/current'

/** A host with people of two organizations, and what they do there when all is well: Ann, unless somebody else is named. */
export class ActionHost implements AsyncDisposable {
  readonly on: TestHost
  readonly ann: SignedUp
  readonly zoe: SignedUp

  private constructor(on: TestHost, ann: SignedUp, zoe: SignedUp) {
    this.on = on
    this.ann = ann
    this.zoe = zoe
  }

  static async open(options?: HostOptions): Promise<ActionHost> {
    const on = await openTestHost(options)
    return new ActionHost(on, await signUp(on, 'ann@acme.example', 'Acme'), await signUp(on, 'zoe@zenith.example', 'Zenith'))
  }

  async made<T = { id: string }>(path: string, body: object, caller = this.ann.caller): Promise<T> {
    const answer = await caller.post(`${base}/${path}`, body)
    expect([path, answer.statusCode, answer.json().code]).toEqual([path, 201, undefined])
    return answer.json<T>()
  }

  async done<T = Record<string, unknown>>(path: string, body?: object, caller = this.ann.caller): Promise<T> {
    const answer = await caller.post(`${base}/${path}`, body)
    expect([path, answer.statusCode, answer.json().code]).toEqual([path, 200, undefined])
    return answer.json<T>()
  }

  async seen<T = Record<string, unknown>>(path: string, caller = this.ann.caller): Promise<T> {
    const answer = await caller.get(`${base}/${path}`)
    expect([path, answer.statusCode]).toEqual([path, 200])
    return answer.json<T>()
  }

  async member(email: string, role: string): Promise<{ caller: Caller; user: string }> {
    await this.ann.caller.post(`${base}/invitations`, { email, role: await roleIdOf(this.ann.caller, role) })
    await new Caller(this.on).post('/invitations/accept', { token: tokenFor(this.on.mails, email), password })
    const caller = new Caller(this.on)
    await caller.signIn(email)
    return { caller, user: (await caller.get('/me')).json().user.id }
  }

  [Symbol.asyncDispose](): PromiseLike<void> {
    return this.on[Symbol.asyncDispose]()
  }
}
