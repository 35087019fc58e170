import type { MigrationObject } from '@mikro-orm/core'
import { Migration20261120000001_foundation } from './Migration20261120000001_foundation.ts'
import { Migration20261120000002_people_and_access } from './Migration20261120000002_people_and_access.ts'
import { Migration20261121000001_audit } from './Migration20261121000001_audit.ts'
import { Migration20261121000002_audited_entities } from './Migration20261121000002_audited_entities.ts'
import { Migration20261121000003_following } from './Migration20261121000003_following.ts'
import { Migration20261122000001_system } from './Migration20261122000001_system.ts'
import { Migration20261122000002_work } from './Migration20261122000002_work.ts'
import { Migration20261122000003_billing } from './Migration20261122000003_billing.ts'
import { Migration20261122000004_quality } from './Migration20261122000004_quality.ts'
import { Migration20261123000001_agents } from './Migration20261123000001_agents.ts'
import { Migration20261123000002_automation } from './Migration20261123000002_automation.ts'
import { Migration20261123000003_system } from './Migration20261123000003_system.ts'
import { Migration20261123000004_scheduling } from './Migration20261123000004_scheduling.ts'
import { Migration20261123000005_sales } from './Migration20261123000005_sales.ts'
import { Migration20261123000006_commerce } from './Migration20261123000006_commerce.ts'
import { Migration20261123000007_content } from './Migration20261123000007_content.ts'
import { Migration20261123000008_documents } from './Migration20261123000008_documents.ts'
import { Migration20261123000009_indexes } from './Migration20261123000009_indexes.ts'
import { Migration20261123000010_residency } from './Migration20261123000010_residency.ts'
import { Migration20261123000011_ledger } from './Migration20261123000011_ledger.ts'
import { Migration20261123000012_outbox } from './Migration20261123000012_outbox.ts'
import { Migration20261123000013_newsletter } from './Migration20261123000013_newsletter.ts'
import { Migration20261123000014_pointers } from './Migration20261123000014_pointers.ts'
import { Migration20261123000015_cosine } from './Migration20261123000015_cosine.ts'
import { Migration20261123000016_admission } from './Migration20261123000016_admission.ts'
import { Migration20261123000017_still_admitted } from './Migration20261123000017_still_admitted.ts'

/** In the order in which they run. A released migration is never edited. */
export const migrations: readonly MigrationObject[] = [
  { name: 'Migration20261120000001_foundation', class: Migration20261120000001_foundation },
  { name: 'Migration20261120000002_people_and_access', class: Migration20261120000002_people_and_access },
  { name: 'Migration20261121000001_audit', class: Migration20261121000001_audit },
  { name: 'Migration20261121000002_audited_entities', class: Migration20261121000002_audited_entities },
  { name: 'Migration20261121000003_following', class: Migration20261121000003_following },
  { name: 'Migration20261122000001_system', class: Migration20261122000001_system },
  { name: 'Migration20261122000002_work', class: Migration20261122000002_work },
  { name: 'Migration20261122000003_billing', class: Migration20261122000003_billing },
  { name: 'Migration20261122000004_quality', class: Migration20261122000004_quality },
  { name: 'Migration20261123000001_agents', class: Migration20261123000001_agents },
  { name: 'Migration20261123000002_automation', class: Migration20261123000002_automation },
  { name: 'Migration20261123000003_system', class: Migration20261123000003_system },
  { name: 'Migration20261123000004_scheduling', class: Migration20261123000004_scheduling },
  { name: 'Migration20261123000005_sales', class: Migration20261123000005_sales },
  { name: 'Migration20261123000006_commerce', class: Migration20261123000006_commerce },
  { name: 'Migration20261123000007_content', class: Migration20261123000007_content },
  { name: 'Migration20261123000008_documents', class: Migration20261123000008_documents },
  { name: 'Migration20261123000009_indexes', class: Migration20261123000009_indexes },
  { name: 'Migration20261123000010_residency', class: Migration20261123000010_residency },
  { name: 'Migration20261123000011_ledger', class: Migration20261123000011_ledger },
  { name: 'Migration20261123000012_outbox', class: Migration20261123000012_outbox },
  { name: 'Migration20261123000013_newsletter', class: Migration20261123000013_newsletter },
  { name: 'Migration20261123000014_pointers', class: Migration20261123000014_pointers },
  { name: 'Migration20261123000015_cosine', class: Migration20261123000015_cosine },
  { name: 'Migration20261123000016_admission', class: Migration20261123000016_admission },
  { name: 'Migration20261123000017_still_admitted', class: Migration20261123000017_still_admitted },
]
