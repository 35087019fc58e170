import { type Attributes, context, type Span, SpanStatusCode, trace } from '@opentelemetry/api'

/** Nothing is traced, at the price of a few calls, until a program registers an SDK of OpenTelemetry. */
export const tracer = trace.getTracer('daybook')

/** Does the work in a span of its own, below the one at hand. Of an error it says no more than its name: messages hold statements and values. */
export async function inSpan<T>(name: string, attributes: Attributes, work: (span: Span) => Promise<T>): Promise<T> {
  const span = tracer.startSpan(name, { attributes })
  if (!span.isRecording()) return work(span)
  return context.with(trace.setSpan(context.active(), span), async () => {
    try {
      return await work(span)
    } catch (error) {
      failed(span, error)
      throw error
    } finally {
      span.end()
    }
  })
}

export function failed(span: Span, error: unknown): void {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  const name = error instanceof Error ? error.constructor.name : typeof error
  span.setAttribute('error.type', typeof code === 'string' ? code : name)
  span.setStatus({ code: SpanStatusCode.ERROR })
}

/** The trace of the work at hand, in the shape of a UUID, whose 128 bits it has. */
export function currentTraceId(): string | undefined {
  const found = trace.getActiveSpan()?.spanContext()
  return found && /[^0]/.test(found.traceId) ? uuidOf(found.traceId) : undefined
}

function uuidOf(hex: string): string {
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}
