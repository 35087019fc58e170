import { access } from './areas/access.ts'
import { agents } from './areas/agents.ts'
import { automation } from './areas/automation.ts'
import { billing } from './areas/billing.ts'
import { commerce } from './areas/commerce.ts'
import { content } from './areas/content.ts'
import { documents } from './areas/documents.ts'
import { log } from './areas/log.ts'
import { quality } from './areas/quality.ts'
import { sales } from './areas/sales.ts'
import { scheduling } from './areas/scheduling.ts'
import { system } from './areas/system.ts'
import { work } from './areas/work.ts'

/** Every resource of the product, by area: a host may serve some of them. */
export const catalogue = {
  work,
  agents,
  automation,
  documents,
  scheduling,
  quality,
  sales,
  commerce,
  content,
  billing,
  access,
  system,
  log,
}
