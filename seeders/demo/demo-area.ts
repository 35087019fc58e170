import { NotFoundError } from '@mikro-orm/core'
import { type Actor, userActor } from '../../src/context/index.ts'
import { DaybookError } from '../../src/kernel/error.ts'
import type { Daybook } from '../../src/orm/index.ts'
import type { Outcome, SeedReport } from '../seed-report.ts'
import { DemoUnit } from './demo-unit.ts'

/** One organization of the demo, as its areas are filled. */
export class DemoOrganizationWork {
  readonly slug: string
  readonly owner: string
  readonly #daybook: Daybook
  readonly #tenant: string
  readonly #report: SeedReport
  /** Secrets that are shown once, by what they open. */
  readonly secrets = new Map<string, string>()

  constructor(daybook: Daybook, ids: { readonly slug: string; readonly tenant: string; readonly owner: string }, report: SeedReport) {
    this.#daybook = daybook
    this.slug = ids.slug
    this.owner = ids.owner
    this.#tenant = ids.tenant
    this.#report = report
  }

  /** All of it or none, in the owner's name unless somebody else is named. */
  async transact<T>(work: (demo: DemoUnit) => Promise<T>, actor: Actor = userActor(this.owner)): Promise<T> {
    const scope = { tenant: this.#tenant, actor, reason: 'demo data' }
    const [result, { rows }] = await this.#daybook.transact(scope, async em => {
      const unit = new DemoUnit(em, this.slug)
      return [await work(unit), unit] as const
    })
    for (const [outcome, counts] of Object.entries(rows) as [Outcome, Map<string, number>][])
      for (const [entity, count] of counts) this.#report.tell(outcome, `${count} ${entity} of ${this.slug}`, count)
    return result
  }

  skip(area: string, why: string): void {
    this.#report.tell('skipped', `${area} of ${this.slug}: ${why}`)
  }
}

/** What the demo has of one area: its data, which its checksum is made of, and how services make rows of it. */
export interface DemoArea {
  readonly name: string
  readonly data: object
  readonly seed: (work: DemoOrganizationWork) => Promise<void>
}

/** `data` by the slug of the organization that gets it. */
export function demoArea<D>(
  name: string,
  data: Readonly<Record<string, D>>,
  seed: (work: DemoOrganizationWork, data: D) => Promise<void>,
): DemoArea {
  return {
    name,
    data,
    async seed(work) {
      const own = data[work.slug]
      if (own) await seed(work, own).catch((error: unknown) => work.skip(name, reasonIn(error)))
    },
  }
}

/** People may have changed a demo so that some of it can't be made any more; the rest still can. */
function reasonIn(error: unknown): string {
  if (error instanceof DaybookError || error instanceof NotFoundError) return error.message
  throw error
}
