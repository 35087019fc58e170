import { type EntitySchema, type Opt, p } from '@mikro-orm/core'
import { now } from '../../kernel/clock.ts'
import { nextState, type Transitions } from '../../kernel/transitions.ts'
import { moment, tenantEntity, TenantRow } from '../../orm/index.ts'
import { ProjectInactiveError } from './quality.errors.ts'

export const projectStatuses = ['ACTIVE', 'ARCHIVED', 'DELETED'] as const
export type ProjectStatus = (typeof projectStatuses)[number]

export const projectTransitions: Transitions<ProjectStatus> = {
  ACTIVE: ['ARCHIVED', 'DELETED'],
  ARCHIVED: ['ACTIVE', 'DELETED'],
  DELETED: ['ACTIVE'],
}

/** Code whose quality is watched. A deleted project keeps what was found in it, for its attestations must stay provable. */
export class Project extends TenantRow {
  declare name: string
  declare slug: string
  declare repositoryUrl?: string | null
  declare defaultBranch: Opt<string>
  declare language?: string | null
  declare status: Opt<ProjectStatus>
  declare deletedAt?: Date | null
  declare version: Opt<number>

  archive(): void {
    this.become('ARCHIVED')
  }

  reactivate(): void {
    this.become('ACTIVE')
    this.deletedAt = null
  }

  delete(at: Date = now()): void {
    this.become('DELETED')
    this.deletedAt = at
  }

  /** Retention doesn't remove it either. */
  softDelete(at: Date): void {
    this.delete(at)
  }

  restore(): void {
    this.reactivate()
  }

  requireActive(): void {
    if (this.status !== 'ACTIVE') throw new ProjectInactiveError(this.slug, this.status)
  }

  private become(status: ProjectStatus): void {
    this.status = nextState('A project', projectTransitions, this.status, status)
  }
}

export const ProjectSchema: EntitySchema<Project> = tenantEntity({
  class: Project,
  properties: {
    name: p.text(),
    slug: p.text(),
    repositoryUrl: p.text().nullable(),
    defaultBranch: p.text().default('main'),
    language: p.text().nullable(),
    status: p.enum(projectStatuses).default('ACTIVE'),
    deletedAt: moment().nullable(),
    version: p.integer().version(),
  },
  uniques: [{ properties: ['slug'] }],
  checks: [{ name: 'project_deleted', expression: `deleted_at is null or status = 'DELETED'` }],
})
