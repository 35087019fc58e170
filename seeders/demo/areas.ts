import { agents } from './agents.ts'
import { automations } from './automation.ts'
import { billing } from './billing.ts'
import { commerce } from './commerce.ts'
import { content } from './content.ts'
import type { DemoArea } from './demo-area.ts'
import { quality } from './quality.ts'
import { sales } from './sales.ts'
import { scheduling } from './scheduling.ts'
import { settings } from './settings.ts'
import { workAtHand } from './work.ts'

/** In this order: an agent decides about a task. */
export const demoAreas: readonly DemoArea[] = [
  settings,
  billing,
  workAtHand,
  agents,
  automations,
  scheduling,
  quality,
  commerce,
  content,
  sales,
]
