import type { ScopedEntityManager, Transact } from '../orm/index.ts'

export interface JobContext {
  readonly at: Date
  /** Says what would be done, and leaves everything as it is. */
  readonly dryRun: boolean
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
   * What is to be done in a tenant, asked by the operator, whom no policy binds. A job that has done nothing is asked the same in the
   * tenant's scope; if it sees none of it there it is blind, which a broken policy or a wrong scope makes it, and it fails instead of
   * reporting that all is well.
   */
  readonly due?: (em: ScopedEntityManager, tenant: string, context: JobContext) => Promise<number>
}
