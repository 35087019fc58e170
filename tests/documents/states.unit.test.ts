import { describe, expect, test } from 'vitest'
import { Document, DocumentChat, documentStatuses, documentTransitions } from '../../src/entities.ts'

describe('a document', () => {
  const moves: Readonly<Record<string, (document: Document) => void>> = {
    PENDING: document => document.retry(),
    PROCESSING: document => document.startProcessing(),
    COMPLETED: document => document.complete({ ocrText: 'Words', pageCount: 2 }),
    FAILED: document => document.fail('It is locked.'),
  }

  test.each(documentStatuses.flatMap(from => documentStatuses.map(to => [from, to] as const)))(
    'that is %s becomes %s only if it may',
    (from, to) => {
      const document = Object.assign(new Document(), { status: from })
      if (documentTransitions[from].includes(to)) {
        moves[to]!(document)
        expect(document.status).toBe(to)
      } else {
        expect(() => moves[to]!(document)).toThrow(expect.objectContaining({ code: 'state.transition_refused' }))
        expect(document).toEqual(Object.assign(new Document(), { status: from }))
      }
    },
  )

  test('is read at its second try, and forgets why the first one failed', () => {
    const document = Object.assign(new Document(), { status: 'PROCESSING' as const })
    document.fail('It is locked.')
    expect(document.error).toBe('It is locked.')
    document.retry()
    document.startProcessing()
    document.complete({ ocrText: 'A\0b\uD800c', ocrMeta: { language: 'en' } })
    expect(document).toMatchObject({ status: 'COMPLETED', error: null, ocrText: 'Ab\uFFFDc', ocrMeta: { language: 'en' }, pageCount: null })
  })
})

test('a chat knows its latest message, in whatever order they are heard', () => {
  const chat = new DocumentChat()
  const at = (minute: number) => new Date(Date.UTC(2026, 10, 23, 10, minute))
  for (const minute of [3, 9, 5]) chat.heard(at(minute))
  expect(chat.lastMessageAt).toEqual(at(9))
})
