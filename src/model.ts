import { EntitySchema } from '@mikro-orm/core'
import { migrations } from '../migrations/index.ts'
import {
  AuditCapture,
  AuditEventSchema,
  ActivityLogSchema,
  addSentinels,
  DecisionLogSchema,
  entityNameOf,
  refuseTruncating,
} from './audit/index.ts'
import { syncPermissionCatalogue } from './domain/access/index.ts'
import { syncPlanCatalogue } from './domain/billing/index.ts'
import * as domain from './entities.ts'
import type { Keyring } from './kernel/keyring.ts'
import { AuditCheckpointSchema } from './ledger/index.ts'
import { declarationOf, type Entity, type Model } from './orm/index.ts'

/** Every entity of the product: what the areas export, and the log. */
const entities: readonly Entity[] = [
  ...(Object.values(domain) as unknown[]).filter(exported => exported instanceof EntitySchema),
  AuditEventSchema,
  ActivityLogSchema,
  DecisionLogSchema,
  AuditCheckpointSchema,
]

export interface ModelAdditions {
  readonly entities?: readonly Entity[]
  readonly migrations?: Model['migrations']
  /** Asked when the log first tells something of a person. */
  readonly keyring?: () => Promise<Keyring>
}

/** The whole model: the product's entities, and those that an application brings along. */
export function modelWith(more: ModelAdditions = {}): Model {
  const all = [...entities, ...(more.entities ?? [])]
  return {
    entities: all,
    migrations: [...migrations, ...(more.migrations ?? [])],
    async afterUp(run) {
      await refuseTruncating(run)
      await syncPermissionCatalogue(resourcesOf(all))(run)
      await syncPlanCatalogue(run)
    },
    complete: addSentinels,
    subscribers: [new AuditCapture(more.keyring)],
  }
}

/** What permissions speak of: the organization, its log, and everything that a tenant owns, by name in kebab-case. */
export function resourcesOf(all: readonly Entity[]): string[] {
  return all
    .map(entity => ('meta' in entity ? entity.meta.class : entity))
    .filter(entity => declarationOf(entity)?.belongsTo === 'tenant' || entity.name === 'Organization' || entity.name === 'AuditEvent')
    .map(entity => entityNameOf(entity.name))
}
