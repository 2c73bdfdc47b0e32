/** What can go wrong in a drill. */
export const drillNames = ['root-down', 'dns-down', 'partition', 'registry-lies'] as const
export type DrillName = (typeof drillNames)[number]
