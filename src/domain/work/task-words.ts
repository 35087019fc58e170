export const taskKinds = ['TASK', 'CALL', 'EMAIL', 'MEETING', 'NOTE'] as const
export type TaskKind = (typeof taskKinds)[number]

export const taskSources = ['FORM', 'EMAIL', 'CHAT', 'API', 'CALL'] as const
export type TaskSource = (typeof taskSources)[number]

export const taskPriorities = ['LOW', 'MEDIUM', 'HIGH', 'URGENT'] as const
export type TaskPriority = (typeof taskPriorities)[number]

export const taskStatuses = ['NEW', 'IN_PROGRESS', 'NEEDS_REVIEW', 'BLOCKED', 'DONE', 'CANCELLED'] as const
export type TaskStatus = (typeof taskStatuses)[number]
