import { Type } from 'typebox'
import {
  attestFix,
  AuditIssue,
  AuditResult,
  auditRunStatuses,
  ErrorSignature,
  FixAttestation,
  fixStatuses,
  issueSuites,
  Project,
  recordAudit,
  reportError,
  severities,
  verifyAttestations,
} from '../../../domain/quality/index.ts'
import { now } from '../../../kernel/clock.ts'
import { exactly, idField, nameField, nullable, oneOf } from '../../fields.ts'
import { found } from '../found.ts'
import { action, creation, resource } from '../resource.ts'

const count = () => Type.Integer({ minimum: 0, maximum: 1_000_000_000 })

const errorBody = exactly({
  project: idField(),
  detector: nameField(),
  severity: oneOf([...severities]),
  message: Type.String({ minLength: 1, maxLength: 20_000 }),
  file: Type.Optional(Type.String({ maxLength: 4_000 })),
  line: Type.Optional(Type.Integer({ minimum: 1, maximum: 2 ** 31 - 1 })),
})

const fixBody = exactly({
  project: idField(),
  signature: Type.Optional(idField()),
  requestId: Type.String({ minLength: 1, maxLength: 200 }),
  filesChanged: count(),
  linesAdded: count(),
  linesRemoved: count(),
  status: oneOf([...fixStatuses]),
})

const score = () => Type.Optional(Type.Number({ minimum: 0, maximum: 100 }))
const text = () => Type.String({ minLength: 1, maxLength: 4_000 })

const auditBody = exactly({
  project: idField(),
  url: Type.String({ minLength: 1, maxLength: 2_000 }),
  environment: Type.Optional(nameField()),
  device: Type.Optional(nameField()),
  scores: exactly({ ACCESSIBILITY: score(), PERFORMANCE: score(), SECURITY: score(), SEO: score() }),
  status: oneOf([...auditRunStatuses]),
  durationMs: Type.Integer({ minimum: 0, maximum: 2 ** 31 - 1 }),
  issues: Type.Array(
    exactly({
      suite: oneOf([...issueSuites]),
      severity: oneOf([...severities]),
      message: text(),
      selector: Type.Optional(text()),
      recommendation: Type.Optional(text()),
    }),
    { maxItems: 500 },
  ),
})

export const quality = [
  resource(Project, {
    give: ['slug'],
    write: ['name', 'repositoryUrl', 'defaultBranch', 'language'],
    inputs: { slug: Type.String({ pattern: '^[a-z0-9](-?[a-z0-9])*$', maxLength: 100 }), name: nameField() },
    remove: false,
    actions: {
      archive: action('update', (_work, project: Project) => project.archive()),
      reactivate: action('update', (_work, project: Project) => project.reactivate()),
      delete: action('delete', (_work, project: Project) => project.delete()),
      'verify-attestations': {
        permission: 'read',
        answer: exactly({ length: Type.Integer(), brokenAt: nullable(Type.Integer()) }),
        run: async ({ em }, project: Project) => {
          const { length, brokenAt = null } = await verifyAttestations(em, project)
          return { length, brokenAt }
        },
      },
    },
  }),
  resource(ErrorSignature, {
    create: creation(errorBody, async ({ em }, { project, ...error }) => reportError(em, await found(em, Project, project), error)),
    actions: { resolve: action('update', (_work, signature: ErrorSignature) => signature.resolve(now())) },
    remove: false,
  }),
  resource(FixAttestation, {
    create: creation(fixBody, async ({ em }, { project, signature, ...fix }) => {
      const of = signature === undefined ? {} : { signature: await found(em, ErrorSignature, signature) }
      return attestFix(em, await found(em, Project, project), { ...fix, ...of })
    }),
  }),
  resource(AuditResult, {
    create: creation(auditBody, async ({ em }, { project, ...audit }) => recordAudit(em, await found(em, Project, project), audit)),
    remove: false,
  }),
  resource(AuditIssue),
]
