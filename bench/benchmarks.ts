import { admissions } from './admissions.ts'
import type { Benchmark } from './harness/benchmark.ts'
import { recordUpdates } from './record-updates.ts'

/** In the order of the page. */
export const benchmarks: readonly Benchmark[] = [recordUpdates, admissions]
