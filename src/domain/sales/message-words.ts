export const messageChannels = ['EMAIL', 'SMS', 'CHAT'] as const
export type MessageChannel = (typeof messageChannels)[number]

export const messageDirections = ['OUTBOUND', 'INBOUND'] as const
export type MessageDirection = (typeof messageDirections)[number]

export const messageStatuses = ['QUEUED', 'SENT', 'DELIVERED', 'OPENED', 'REPLIED', 'BOUNCED', 'FAILED'] as const
export type MessageStatus = (typeof messageStatuses)[number]
