const unitMs: ReadonlyMap<string, number> = new Map(
  Object.entries<number>({ ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 })
)

/** '30' and 30 are seconds; '250ms', '30s', '5m', '1h', '90d' say their unit. undefined: not a duration. */
export const parseDuration = (value: unknown): number | undefined => {
  const match = /^(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)?$/.exec(String(value).trim())
  const factor = unitMs.get(match?.[2] ?? 's')
  if (match === null || factor === undefined) return undefined
  const ms = Math.round(Number(match[1]) * factor)
  return Number.isSafeInteger(ms) ? ms : undefined
}

/** The shortest text that parses back to the same duration. */
export const formatDuration = (ms: number): string => {
  if (ms === 0) return '0'
  for (const unit of ['d', 'h', 'm', 's']) {
    const factor = unitMs.get(unit) ?? 1
    if (ms % factor === 0) return `${ms / factor}${unit}`
  }
  return `${ms}ms`
}
