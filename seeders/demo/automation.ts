import { addTrigger, Automation, type AutomationDefinition, createAutomation, WorkflowTrigger } from '../../src/entities.ts'
import { demoArea } from './demo-area.ts'

interface AutomationData {
  readonly name: string
  readonly definition: AutomationDefinition
  readonly cron: string
  readonly timeZone: string
}

const data: Readonly<Record<string, AutomationData>> = {
  'demo-org': {
    name: 'Weekly report',
    definition: { kind: 'webhook', url: 'https://workflows.example.com/weekly-report' },
    cron: '0 8 * * 1',
    timeZone: 'Europe/Paris',
  },
}

/** An automation by the clock. It is off, since nothing of a demo should call elsewhere by itself. */
export const automations = demoArea('automation', data, (work, { name, definition, cron, timeZone }) =>
  work.transact(async demo => {
    const { em } = demo
    const automation = await demo.ensure(Automation, { name }, async () => {
      const made = await createAutomation(em, { name, definition, externalSystem: 'n8n', externalWorkflowId: 'weekly-report' })
      made.automation.deactivate()
      return made.automation
    })
    await demo.ensure(WorkflowTrigger, { automation: automation.id, type: 'SCHEDULE' }, () =>
      addTrigger(em, automation, { type: 'SCHEDULE', config: { cron, timeZone } }),
    )
  }),
)
