export const usageMetrics = ['API_CALLS', 'ANALYSES', 'FIXES', 'AUDITS', 'TOKENS'] as const
export type UsageMetric = (typeof usageMetrics)[number]

/** How much of each a plan allows in a period; what is not named is not limited. */
export type Limits = Readonly<Partial<Record<UsageMetric, number>>>
