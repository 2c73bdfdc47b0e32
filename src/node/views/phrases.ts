// Times in sentences. What is shown as a column stays a number and is formatted by whoever shows it.

const units = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1000]
] as const

/** `3 min`, `2 h`: the largest unit that fits; below a second `less than 1 s`. */
export const span = (ms: number): string => {
  const unit = units.find(([, size]) => ms >= size)
  return unit === undefined ? 'less than 1 s' : `${Math.floor(ms / unit[1])} ${unit[0]}`
}

/** `2027-01-01 12:00 UTC`; a time that no calendar has is told as it is. */
export const moment = (ms: number): string => {
  const date = new Date(ms)
  if (Number.isNaN(date.getTime())) return 'the end of time'
  return `${date.toISOString().slice(0, 16).replace('T', ' ')} UTC`
}

export const count = (n: number, one: string, many = `${one}s`): string => `${n} ${n === 1 ? one : many}`
