import { escapeHtml } from '../../kernel/escape-html.ts'
import type { MessageChannel } from './message-words.ts'
import { PlaceholderUnknownError } from './sales.errors.ts'

export const placeholders = ['firstName', 'lastName', 'company', 'companyDomain', 'email'] as const
type Placeholder = (typeof placeholders)[number]

export interface StepTemplate {
  readonly channel: MessageChannel
  readonly subject?: string | null
  readonly bodyTemplate: string
}

export type Addressee = Readonly<Partial<Record<Placeholder, string | null>>>

/** What can't be filled in: names that nobody knows, and braces that open or close nothing. */
export function templateProblems({ channel, subject, bodyTemplate }: StepTemplate): string[] {
  const problems = channel === 'EMAIL' && !subject?.trim() ? ['an e-mail needs a subject'] : []
  return [...problems, ...problemsIn(subject ?? ''), ...problemsIn(bodyTemplate)]
}

function problemsIn(text: string): string[] {
  const names = [...text.matchAll(inBraces)].map(([, name]) => name!.trim())
  const unknown = new Set(names.filter(name => !isPlaceholder(name)))
  const left = text.replace(inBraces, '')
  return [
    ...[...unknown].map(name => `{{${name}}} is unknown (known are ${placeholders.join(', ')})`),
    ...(left.includes('{{') || left.includes('}}') ? ['a brace is left open'] : []),
  ]
}

export interface RenderedStep {
  readonly subject: string | null
  readonly body: string
}

/**
 * A step as one prospect gets it. What stands in for a placeholder is text whatever it looks like: in the body of an e-mail, which is HTML, it
 * is escaped, in a subject it stays on one line, and a placeholder inside it is none.
 */
export function renderStep(step: StepTemplate, prospect: Addressee): RenderedStep {
  const problems = templateProblems(step)
  if (problems.length > 0) throw new PlaceholderUnknownError(problems)
  const fill = (text: string, asText: (value: string) => string) =>
    text.replace(inBraces, (_all, name: string) => asText(prospect[name.trim() as Placeholder] ?? ''))
  return {
    subject: typeof step.subject === 'string' ? fill(step.subject, onOneLine) : null,
    body: fill(step.bodyTemplate, step.channel === 'EMAIL' ? escapeHtml : value => value),
  }
}

const inBraces = /\{\{([^{}]*)\}\}/g

function isPlaceholder(name: string): name is Placeholder {
  return (placeholders as readonly string[]).includes(name)
}

/** A line break in a subject would begin another header. */
function onOneLine(value: string): string {
  return value.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ')
}
