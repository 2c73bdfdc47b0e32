import { newestOf, type StoreEntry } from './store-entry.ts'

const mostNamed = 4

/** Bytes as people read them. */
export function sizeText(bytes: number): string {
  const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB']
  const step = Math.min(units.length - 1, Math.floor(Math.log2(Math.max(1, bytes)) / 10))
  const value = bytes / 1024 ** step
  return `${step === 0 ? value : value.toFixed(1)} ${units[step] ?? 'bytes'}`
}

const sizeOf = (entry: StoreEntry): number => newestOf(entry)?.value.sizeBytes ?? 0

/** Advice for a store that has no room: the largest of others that nobody has pinned may go. */
export function roomText(
  wanted: StoreEntry,
  {
    entries,
    quotaBytes,
    nameOf
  }: { entries: readonly StoreEntry[]; quotaBytes: number; nameOf: (entry: StoreEntry) => string }
): string {
  const others = entries
    .filter((entry) => entry !== wanted && !entry.isOwn && !entry.pinned && entry.versions.length > 0)
    .toSorted((a, b) => sizeOf(b) - sizeOf(a))
    .slice(0, mostNamed)
    .map((entry) => `${nameOf(entry)} (${sizeText(sizeOf(entry))})`)
  return `there is no room for ${nameOf(wanted)} (${sizeText(sizeOf(wanted))}): the blocks of all stores may have ${sizeText(quotaBytes)} (stores.quotaBytes); ${adviceOf(sizeOf(wanted) > quotaBytes, others)}`
}

function adviceOf(isLarger: boolean, others: readonly string[]): string {
  if (isLarger) return 'it has more than that alone: raise it'
  if (others.length === 0) return 'no other store could go: raise it'
  return `make room with trustnet store remove, of ${others.join(', ')}, or raise it`
}
