import type { BenchmarkResult } from '../harness/benchmark.ts'

/** What things cost on the machine that was measured: medians of docs/benchmarks.md. */
export interface Costs {
  /** Cores of a root with 10,000 sessions at the interval of 30 s. */
  readonly coresAt10k: number
  /** CPU of the root for one heartbeat, µs. */
  readonly heartbeatUs: number
  readonly sessionBytes: number
  /** Resident memory of a node without records, and more for each member with its record. */
  readonly idleBytes: number
  readonly memberBytes: number
  /** Entries and records a second that an empty replica takes over. */
  readonly syncRows: number
  /** Signatures that both cores verify a second in the thread pool. */
  readonly verifies: number
}

const mebibyte = 1024 ** 2
const kibibyte = 1024

/** @throws Error which benchmark is missing */
export function costsOf(results: ReadonlyMap<string, BenchmarkResult>): Costs {
  const rowOf = (benchmark: string, what: RegExp) => {
    const row = results.get(benchmark)?.rows.find((each) => what.test(each.what))
    if (row === undefined)
      throw new Error(`${benchmark} has no result for ${what}: run \`npm run bench -- ${benchmark}\``)
    return row
  }
  const median = (benchmark: string, what: RegExp): number => rowOf(benchmark, what).median
  const besideOf = (benchmark: string, what: RegExp, beside: RegExp): number => {
    const figure = rowOf(benchmark, what).beside.find((each) => beside.test(each.what))
    if (figure === undefined) throw new Error(`${benchmark} does not show ${beside}`)
    return figure.median
  }
  const idle = median('start', /^memory of an idle node/)
  const large = median('start', /^memory with 100,000/)
  return {
    coresAt10k: median('sessions', /^10,000 sessions at the real interval/),
    heartbeatUs: median('sessions', /^10,000 sessions, CPU of one more heartbeat/),
    sessionBytes: median('sessions', /^10,000 sessions, memory of each/) * kibibyte,
    idleBytes: idle * mebibyte,
    memberBytes: ((large - idle) * mebibyte) / 100_000,
    syncRows: median('sync', /^100,000 entries/),
    verifies: besideOf('record-updates', /^one registry session, 64 in flight/, /^verify/)
  }
}
