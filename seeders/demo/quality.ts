import { AuditResult, attestFix, type AuditInput, ErrorSignature, FixAttestation, type FixInput } from '../../src/entities.ts'
import { Project, recordAudit, type ReportedError, reportError, signatureOf } from '../../src/entities.ts'
import { demoArea } from './demo-area.ts'
import type { DemoUnit } from './demo-unit.ts'

interface ProjectData {
  readonly project: { readonly name: string; readonly slug: string; readonly language: string; readonly repositoryUrl: string }
  readonly errors?: readonly (ReportedError & { readonly times: number })[]
  /** Each fixes one of the errors. */
  readonly fixes?: readonly (Omit<FixInput, 'signature'> & { readonly of: number })[]
  readonly audit?: AuditInput
}

const data: Readonly<Record<string, readonly ProjectData[]>> = {
  'demo-org': [
    {
      project: { name: 'Web App', slug: 'web-app', language: 'TypeScript', repositoryUrl: 'https://git.example.com/demo/web-app' },
      errors: [
        {
          detector: 'typescript',
          severity: 'HIGH',
          message: "Property 'total' does not exist on type 'Cart'.",
          file: 'src/cart.ts',
          line: 42,
          times: 3,
        },
        {
          detector: 'security',
          severity: 'CRITICAL',
          message: 'A key stands in the source.',
          file: 'src/payments/client.ts',
          line: 7,
          times: 1,
        },
        {
          detector: 'performance',
          severity: 'MEDIUM',
          message: 'The list renders again for every key that is pressed.',
          file: 'src/search/results.tsx',
          line: 118,
          times: 2,
        },
        {
          detector: 'eslint',
          severity: 'LOW',
          message: "'unused' is assigned a value but never used.",
          file: 'src/util.ts',
          line: 3,
          times: 5,
        },
      ],
      fixes: [
        { of: 0, requestId: 'demo-fix-1', filesChanged: 1, linesAdded: 4, linesRemoved: 1, status: 'SUCCESS' },
        { of: 1, requestId: 'demo-fix-2', filesChanged: 3, linesAdded: 12, linesRemoved: 9, status: 'SUCCESS' },
        { of: 3, requestId: 'demo-fix-3', filesChanged: 1, linesAdded: 0, linesRemoved: 1, status: 'SUCCESS' },
      ],
      audit: {
        url: 'https://www.example.com/',
        device: 'mobile',
        scores: { ACCESSIBILITY: 78, PERFORMANCE: 64, SECURITY: 85 },
        status: 'SUCCESS',
        durationMs: 18_400,
        issues: [
          {
            suite: 'ACCESSIBILITY',
            severity: 'HIGH',
            message: 'An image has no alternative text.',
            selector: 'img.hero',
            recommendation: 'Say what it shows.',
          },
          {
            suite: 'ACCESSIBILITY',
            severity: 'MEDIUM',
            message: 'The contrast of a text is 2.9 to 1.',
            selector: '.price',
            recommendation: 'Make it 4.5 to 1.',
          },
          { suite: 'ACCESSIBILITY', severity: 'LOW', message: 'A heading skips a level.', selector: 'main h4' },
          {
            suite: 'PERFORMANCE',
            severity: 'HIGH',
            message: 'The largest element is painted after 4.1 seconds.',
            recommendation: 'Preload its image.',
          },
          {
            suite: 'PERFORMANCE',
            severity: 'MEDIUM',
            message: '312 KB of JavaScript are never run.',
            recommendation: 'Load them when they are needed.',
          },
          { suite: 'PERFORMANCE', severity: 'LOW', message: 'Fonts are cached for an hour only.' },
          {
            suite: 'SECURITY',
            severity: 'HIGH',
            message: 'There is no Content-Security-Policy.',
            recommendation: 'Begin with one that only reports.',
          },
          { suite: 'SECURITY', severity: 'MEDIUM', message: 'A cookie lacks SameSite.', recommendation: 'Set it to Lax.' },
        ],
      },
    },
    {
      project: {
        name: 'API Backend',
        slug: 'api-backend',
        language: 'TypeScript',
        repositoryUrl: 'https://git.example.com/demo/api-backend',
      },
      errors: [
        {
          detector: 'circular',
          severity: 'MEDIUM',
          message: 'orders.ts imports invoices.ts, which imports orders.ts.',
          file: 'src/orders.ts',
          times: 1,
        },
      ],
    },
  ],
  'enterprise-corp': [
    {
      project: {
        name: 'Mobile App',
        slug: 'mobile-app',
        language: 'Kotlin',
        repositoryUrl: 'https://git.example.com/enterprise/mobile-app',
      },
    },
  ],
}

/** Projects, the errors in them, a chain of attested fixes, and an audit with its issues. */
export const quality = demoArea('quality', data, async (work, projects) => {
  for (const each of projects) await work.transact(demo => seedProject(demo, each))
})

async function seedProject(demo: DemoUnit, { project: told, errors = [], fixes = [], audit }: ProjectData): Promise<void> {
  const { em } = demo
  const project = await demo.ensure(Project, { slug: told.slug }, () => em.create(Project, told))
  const signatures: ErrorSignature[] = []
  for (const { times, ...error } of errors) {
    const key = { project: project.id, hash: signatureOf(error) }
    const signature = await demo.ensure(ErrorSignature, key, async () => {
      for (let time = 1; time < times; time++) await reportError(em, project, error)
      return reportError(em, project, error)
    })
    signatures.push(signature)
  }
  for (const { of, ...fix } of fixes) {
    const key = { project: project.id, requestId: fix.requestId }
    await demo.ensure(FixAttestation, key, () => attestFix(em, project, { ...fix, signature: signatures[of]! }))
  }
  if (!audit) return
  const key = { project: project.id, url: audit.url }
  await demo.ensure(AuditResult, key, () => recordAudit(em, project, audit), { AuditIssue: audit.issues.length })
}
