import { type Actor, systemActor, userActor } from '../../../src/context/index.ts'
import type { Daybook, ScopedEntityManager } from '../../../src/orm/index.ts'

/** The large tenant, its owner and how they sign in. */
export class World {
  readonly daybook: Daybook
  readonly tenant: string
  readonly owner: string
  readonly password: string

  constructor(
    daybook: Daybook,
    { tenant, owner, password }: { readonly tenant: string; readonly owner: string; readonly password: string },
  ) {
    this.daybook = daybook
    this.tenant = tenant
    this.owner = owner
    this.password = password
  }

  /** In the owner's name unless somebody else is named. */
  work<T>(does: (em: ScopedEntityManager) => Promise<T>, actor: Actor = userActor(this.owner)): Promise<T> {
    return this.daybook.transact({ tenant: this.tenant, actor }, does)
  }

  asSystem<T>(does: (em: ScopedEntityManager) => Promise<T>): Promise<T> {
    return this.work(does, systemActor('plans'))
  }
}

export type Calls = Readonly<Record<string, (world: World) => Promise<unknown>>>
