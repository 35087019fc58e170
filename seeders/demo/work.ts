import {
  assignTask,
  createTaskFromTemplate,
  IntakeRequest,
  Pipeline,
  PipelineStage,
  receiveRequest,
  routeIntake,
  Task,
  type TaskSource,
  TaskTemplate,
} from '../../src/entities.ts'
import { now } from '../../src/kernel/clock.ts'
import { demoArea } from './demo-area.ts'
import type { DemoUnit } from './demo-unit.ts'

interface TaskData {
  readonly title: string
  readonly template: string
  readonly filledIn: Readonly<Record<string, unknown>>
  readonly pipeline: string
  /** Where it stands; at the beginning if it isn't said. */
  readonly stage?: string
  readonly isOwners?: boolean
}

interface IntakeData {
  readonly source: TaskSource
  readonly subject: string
  readonly body: string
  readonly requesterEmail: string
}

interface WorkData {
  readonly tasks: readonly TaskData[]
  readonly intake: readonly IntakeData[]
}

const data: Readonly<Record<string, WorkData>> = {
  'demo-org': {
    tasks: [
      {
        title: 'Qualify Northwind Analytics',
        template: 'qualify-lead',
        filledIn: { company: 'Northwind Analytics', contact: 'Grace Lund', email: 'grace@northwind.example', budget: 24_000 },
        pipeline: 'sales',
        stage: 'qualified',
        isOwners: true,
      },
      {
        title: 'Call Marc Petit back',
        template: 'call-back',
        filledIn: { name: 'Marc Petit', phone: '+33 1 99 00 12 34', about: 'A demonstration for his team' },
        pipeline: 'sales',
        isOwners: true,
      },
      {
        title: 'Answer: The export is empty',
        template: 'answer-ticket',
        filledIn: { subject: 'The export is empty', email: 'iris@harbour.example', severity: 'HIGH' },
        pipeline: 'support',
        stage: 'in-progress',
      },
      {
        title: 'Refund invoice 2025-000117',
        template: 'refund',
        filledIn: { invoice: '2025-000117', amountMinor: 4_900, reason: 'It was paid twice.' },
        pipeline: 'billing',
        stage: 'review',
      },
      {
        title: 'Welcome Vera Lindqvist',
        template: 'welcome-colleague',
        filledIn: { name: 'Vera Lindqvist', startsOn: '2026-01-05' },
        pipeline: 'internal',
        stage: 'done',
      },
    ],
    intake: [
      {
        source: 'FORM',
        subject: 'A quote for forty people',
        body: 'Could you send us an offer, and show us a demo?',
        requesterEmail: 'office@atelier.example',
      },
    ],
  },
  'enterprise-corp': {
    tasks: [
      {
        title: 'Plan the year',
        template: 'general-request',
        filledIn: { subject: 'Plan the year', details: 'Which of the projects go on?' },
        pipeline: 'general',
        isOwners: true,
      },
    ],
    intake: [],
  },
}

/** Tasks from templates, each in a stage of its pipeline, and a request that was routed to one. */
export const workAtHand = demoArea('work', data, (work, { tasks, intake }) =>
  work.transact(async demo => {
    for (const task of tasks) await seedTask(demo, task, work.owner)
    for (const request of intake) await seedIntake(demo, request)
  }),
)

async function seedTask(demo: DemoUnit, { title, isOwners, ...told }: TaskData, owner: string): Promise<void> {
  const { em } = demo
  await demo.ensure(Task, { title }, async () => {
    const template = await em.findOneOrFail(TaskTemplate, { key: told.template, isActive: true })
    const pipeline = await em.findOneOrFail(Pipeline, { key: told.pipeline })
    const task = await createTaskFromTemplate(em, template, { data: told.filledIn, pipeline })
    if (isOwners) await assignTask(em, task, owner)
    await em.flush()
    if (told.stage) task.enter(await em.findOneOrFail(PipelineStage, { pipeline, key: told.stage }), now())
    return task
  })
}

async function seedIntake(demo: DemoUnit, request: IntakeData): Promise<void> {
  const { em } = demo
  const { subject, requesterEmail } = request
  await demo.ensure(
    IntakeRequest,
    { subject, requesterEmail },
    async () => {
      const received = receiveRequest(em, request)
      await routeIntake(em, received)
      return received
    },
    { Task: 1 },
  )
}
