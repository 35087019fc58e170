import { DriverException, NotFoundError, UniqueConstraintViolationException } from '@mikro-orm/core'
import { expect, test } from 'vitest'
import { TenantContextMissingError } from '../../src/context/index.ts'
import { LastOwnerError } from '../../src/domain/access/index.ts'
import { CitationFailedError, CitationRefusedError, EmbeddingFailedError, EmbeddingRefusedError } from '../../src/domain/documents/index.ts'
import { problemOf } from '../../src/http/problem-of.ts'
import { statusOfCode } from '../../src/http/index.ts'
import { AnswerLateError } from '../../src/kernel/outgoing.ts'
import { EmbeddedDatabaseBusyError, OutcomeUnknownError } from '../../src/orm/index.ts'

const driverError = (code: string) => new DriverException(Object.assign(new Error('insert into secrets values (1)'), { code }))

test.each([
  ['a statement that took too long', driverError('57014'), 503, 'http.timeout'],
  ['a lock that wasn’t granted', driverError('55P03'), 503, 'http.busy'],
  ['a transaction that lost every time', driverError('40001'), 503, 'http.busy'],
  ['a server that shuts down', driverError('57P01'), 503, 'http.busy'],
  ['a pool without a free connection', new Error('timeout exceeded when trying to connect'), 503, 'http.busy'],
  ['a lost connection', driverError('08006'), 503, 'http.busy'],
  ['a value that no column holds', driverError('22021'), 422, 'http.value_refused'],
  ['a value that no index holds', driverError('54000'), 422, 'http.value_refused'],
  ['a unique violation', new UniqueConstraintViolationException(new Error('Key (email)=(ann@acme.example)')), 409, 'http.conflict'],
  ['a row that isn’t there', new NotFoundError('Role not found (secret)'), 404, 'http.not_found'],
  ['a busy embedded database', new EmbeddedDatabaseBusyError(5), 503, 'database.embedded_busy'],
  ['a commit whose answer never came', new OutcomeUnknownError(), 503, 'transaction.outcome_unknown'],
  ['a rule of the business', new LastOwnerError(), 409, 'access.last_owner'],
  ['a vector that is none', new EmbeddingRefusedError('m-1', 'it has no numbers'), 422, 'documents.embedding_refused'],
  ['a model that answers none', new EmbeddingFailedError('m-1', 'it has no numbers'), 502, 'documents.embedding_failed'],
  ['a citation that is none', new CitationRefusedError('d-1', [0]), 422, 'documents.citation_refused'],
  ['a model that quotes what isn’t there', new CitationFailedError('d-1', ['0']), 502, 'documents.citation_failed'],
  ['somebody else who answers late', new AnswerLateError('example.com', 100), 504, 'outgoing.answer_late'],
  ['a mistake of ours', new TypeError('x is not a function at secret'), 500, 'internal'],
  ['a missing scope', new TenantContextMissingError('Secret', 'find'), 500, 'internal'],
  ['an unknown state', driverError('XX000'), 500, 'internal'],
  ['something that is no error', 'secret', 500, 'internal'],
])('%s is answered in words for the caller', (_what, error, status, code) => {
  const parts = problemOf(error)
  expect([statusOfCode(parts.code), parts.code]).toEqual([status, code])
  expect(parts.detail.length).toBeGreaterThan(10)
  expect(parts.detail).not.toMatch(/secret|insert|ann@/i)
})
