/** Faults that a drill makes. */
export const drillNames = ['root-down', 'dns-down', 'partition', 'registry-lies'] as const
export type DrillName = (typeof drillNames)[number]
