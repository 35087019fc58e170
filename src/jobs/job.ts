import type { ScopedEntityManager, Transact } from '../orm/index.ts'

export interface JobContext {
  readonly at: Date
  /** Reports what would be done, and changes nothing. What is done for tenants isn't asked where the job says what is `due`. */
  readonly dryRun: boolean
  /** The name of this installation in the checkpoints of its logs. */
  readonly installation: string
}

export interface TenantAccess {
  readonly transact: Transact
  /** In another name than the job's. */
  readonly transactAs: (actor: string) => Transact
}

/** Does some of the work and says how much; it is asked again, in a transaction of its own, until nothing is left. */
export type Step = (em: ScopedEntityManager, context: JobContext) => Promise<number>

/**
 * Work that no request asks for. What it does for the platform it does as an operator; what it does for tenants, for one after the other in
 * that tenant's own scope, where the policies hold for it as for everybody. It may be stopped anywhere and be started twice, so a step does
 * nothing that it can't do again.
 */
export interface Job {
  readonly name: string
  readonly everyMs: number
  /** Organizations that are suspended, deleted or closed have their turn too: nobody works there, but what stands there is looked after. */
  readonly alsoForUnserved?: boolean
  readonly forPlatform?: Step
  readonly forTenant?: Step
  /**
   * Work for a tenant that takes longer than a transaction should, like calls to somewhere else: it takes transactions of its own, in the
   * tenant's scope, and is asked again like a step. Some tenants have their turn at once.
   */
  readonly outsideForTenant?: (tenant: TenantAccess, context: JobContext) => Promise<number>
  /**
   * How much there is to do in a tenant: in the one that the operator names, whom no policy binds, or in that of the scope. A job that has
   * done nothing though the operator sees work, and that sees none itself, is blind, which a broken policy or a wrong scope makes it; it
   * fails instead of reporting that all is well. A dry run asks in the tenant's own scope, and does nothing.
   */
  readonly due?: (em: ScopedEntityManager, at: Date, tenant?: string) => Promise<number>
}
