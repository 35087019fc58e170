import { type TSchema, Type } from 'typebox'

/** What fields of requests have in common. Bounds are generous and finite: whatever is longer is a mistake or an attack. */
export const idField = () => Type.String({ pattern: `^${idPattern}$`, description: 'a UUID' })
export const idPattern = '[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}'
export const emailField = () => Type.String({ minLength: 3, maxLength: 254 })
export const passwordField = () => Type.String({ minLength: 1, maxLength: 1024 })
export const nameField = () => Type.String({ minLength: 1, maxLength: 200, pattern: '\\S' })
export const tokenField = () => Type.String({ minLength: 16, maxLength: 200, pattern: '^[A-Za-z0-9_.-]+$' })
export const permissionField = () => Type.String({ maxLength: 100, pattern: '^[a-z0-9*-]+:[a-z*]+$' })

/** An object that refuses what it doesn't name. */
export const exactly = <T extends Record<string, TSchema>>(properties: T) => Type.Object(properties, { additionalProperties: false })

export const oneOf = <const T extends (string | number)[]>(values: readonly [...T]) => Type.Enum<T>(values)

/** An answer that is no JSON. */
export const textAnswer = (type: string) => ({ content: { [type]: { schema: Type.Unsafe<unknown>(Type.String()) } } })

/** What an answer without a body holds. */
export const nothing = () => Type.Unsafe<unknown>(Type.Null())

export const nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()])

/** `/organizations/:organization`: an id, or `current` for the session's active one or the key's own. */
export const organizationParams = exactly({ organization: Type.Union([Type.Literal('current'), idField()]) })
export const withinOrganization = exactly({ ...organizationParams.properties, id: idField() })
