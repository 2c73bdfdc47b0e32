import { admissions } from './admissions.ts'
import { blocks } from './blocks.ts'
import { browser } from './browser.ts'
import { detection } from './detection.ts'
import { documents } from './documents.ts'
import { etcd } from './etcd.ts'
import { failover } from './failover.ts'
import { forward } from './forward.ts'
import type { Benchmark } from './harness/benchmark.ts'
import { joins } from './joins.ts'
import { lookup } from './lookup.ts'
import { push } from './push.ts'
import { recordUpdates } from './record-updates.ts'
import { resolve } from './resolve.ts'
import { rootStore } from './root-store/benchmark.ts'
import { takeovers } from './root-store/takeovers.ts'
import { scrape } from './scrape.ts'
import { sessions } from './sessions.ts'
import { start } from './start.ts'
import { stores } from './stores.ts'
import { sync } from './sync.ts'
import { witnesses } from './witnesses/benchmark.ts'

/** In the order of the page. */
export const benchmarks: readonly Benchmark[] = [
  recordUpdates,
  etcd,
  admissions,
  rootStore,
  takeovers,
  lookup,
  resolve,
  sync,
  blocks,
  stores,
  forward,
  documents,
  push,
  sessions,
  joins,
  detection,
  failover,
  witnesses,
  start,
  scrape,
  browser
]
