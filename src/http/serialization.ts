import type { FastifySerializerCompiler } from 'fastify/types/schema.d.ts'
import type { TSchema } from 'typebox'
import { Clean } from 'typebox/value'

/** What an answer's schema doesn't name isn't sent. */
export const compileSerializer: FastifySerializerCompiler<TSchema> =
  ({ schema }) =>
  value =>
    JSON.stringify(Clean(schema, value))
