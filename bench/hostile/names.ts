import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { rootName } from '../harness/network.ts'
import type { Victims } from './victims.ts'

/** Longer than a line of the log waits for its turn: so many a minute are written. */
const logMs = 90_000

const keyOf = ({ limit, who }: { limit: string; who: string }): string => `${limit} ${who}`

/** Limits that the log of the root names somebody for, and whom. */
const namedInLog = (folder: string): Set<string> => {
  const lines = readFileSync(join(folder, `${rootName}.log`), 'utf8').split('\n')
  const of = lines.filter((line) => line.includes('"limit"') && line.endsWith('}')).map((line) => JSON.parse(line))
  return new Set(of.map(({ limit, peer, ipv6_addr }) => keyOf({ limit, who: peer ?? ipv6_addr })))
}

/** Limits with those who exceeded them so far. */
export const namedBy = async (root: Victims['root']): Promise<ReadonlySet<string>> =>
  new Set((await root.call('culprits', rootName)).map(keyOf))

/** A limit is reached as fast as a busy machine takes what is sent. */
const reachedMs = 60_000

/** Resolves when somebody more is named than before who did not attack earlier, or has not been for so long. */
export async function untilNamed({ root, before, earlier }: Pick<Named, 'root' | 'before' | 'earlier'>): Promise<void> {
  const until = performance.now() + reachedMs
  while (performance.now() < until) {
    const culprits = await root.call('culprits', rootName)
    if (culprits.some((each) => !before.has(keyOf(each)) && !earlier.has(each.who))) return
    await pause(200)
  }
}

interface Named {
  readonly root: Victims['root']
  /** Of the log of the root. */
  readonly folder: string
  readonly before: ReadonlySet<string>
  /** Attackers of this case, and of those before it. */
  readonly who: ReadonlySet<string>
  readonly earlier: ReadonlySet<string>
}

/** Culprits that were named since `before`: attackers alone, and in the log as in the counters. */
export async function judgeNames({ root, folder, before, who, earlier }: Named) {
  const culprits = (await root.call('culprits', rootName))
    .filter((each) => !before.has(keyOf(each)))
    .filter((each) => who.has(each.who) || !earlier.has(each.who))
  const innocent = culprits
    .filter((each) => !who.has(each.who))
    .map((each) => `${keyOf(each)} was named, who attacked nobody`)
  const unlogged = (await missingInLog(folder, culprits.map(keyOf))).map((each) => `the log has no line of ${each}`)
  return { named: [...new Set(culprits.map(({ limit }) => limit))], faults: [...innocent, ...unlogged] }
}

async function missingInLog(folder: string, culprits: readonly string[]): Promise<string[]> {
  const until = performance.now() + logMs
  for (;;) {
    const names = namedInLog(folder)
    const missing = culprits.filter((each) => !names.has(each))
    if (missing.length === 0 || performance.now() > until) return missing
    await pause(100)
  }
}
