import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { parseNetworkId } from '../../src/identity/network-id.ts'
import { mostLines } from '../../src/protocols/engine/culprits.ts'
import { Child, type ChildOptions, endAll } from '../harness/child.ts'
import { rootName } from '../harness/network.ts'
import { quantile } from '../harness/spread.ts'
import type { HonestMethods } from '../processes/honest.ts'
import type { PrepareMethods } from '../processes/prepare.ts'
import type { RootAddress } from '../processes/root.ts'
import type { SoakingMethods } from '../processes/soaking.ts'
import { poisoned } from './attacks/records.ts'
import { type Case, cases } from './cases.ts'
import { type Ground, loopback } from './ground.ts'

/**
 * `npm run hostile`: each hostile traffic against a root and a node in processes of their own, beside honest work; `-- --only WORDS` for some
 * of it, `--short` for some seconds of each in one network that they share, `--json FILE` for the results. Ends with 1 when honest work
 * failed, memory grew beyond its bound, the event loop stood still, or somebody else than the attackers was named.
 */
const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    short: { type: 'boolean', default: false },
    json: { type: 'string' }
  }
})
const members = 300
const honest = 2
const lookups = values.short ? 10 : 20
const shortMs = 5_000
const shortJoins = 2
const MiB = 2 ** 20
const say = (line: string): void => void process.stdout.write(`${line}\n`)
const mib = (bytes: number): string => `${Math.round(bytes / MiB)} MiB`
const ms = (value: number): string => `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`
const counts = (map: ReadonlyMap<string, number>): string =>
  [...map].map(([what, count]) => `${count.toLocaleString('en-US')} ${what}`).join(', ') || 'nothing'

/** By how much the memory of a process may grow, with what is not collected yet and without it; and how long one turn of its event loop may take. */
const bounds = { peak: 100 * MiB, kept: 16 * MiB, turnMs: 250 }
/** The longest deadline of what may still go on when an attack is over. */
const settleMs = 40_000
/** Longer than the log of the root is late. */
const logMs = 10_000

interface Rest {
  readonly rssBytes: number
  readonly heldBytes: number
}

/** After a garbage collection; what is measured from here on begins. */
async function atRest(child: Child<SoakingMethods>): Promise<Rest> {
  const { rssBytes } = await child.usage()
  const { heldBytes } = await child.call('sample')
  await child.peakRss()
  await child.call('loop')
  return { rssBytes, heldBytes }
}

const inNamespace = (namespace: string | undefined): ChildOptions => (namespace === undefined ? {} : { namespace })

/** A root and a node that know nothing of what comes. */
async function startVictims(folder: string, ground: Ground): Promise<Victims> {
  const place = inNamespace(ground.victims)
  const root = new Child<SoakingMethods>('soaking', place)
  const node = new Child<SoakingMethods>('soaking', place)
  const flags = { 'heartbeat.interval': '3s', 'heartbeat.timeout': '2s', ...ground.flags }
  await root.call('start', folder, rootName, { role: 'root', 'admission.policy': 'open', ...flags })
  await root.call('release', rootName)
  const address = await root.call('address', rootName)
  const networkId = await root.call('networkId', rootName)
  const memberFlags = { ...flags, networkId, 'bootstrap.peers': [address] }
  await node.call('start', folder, 'node', memberFlags)
  await node.call('joined', 'node')
  return { root, node, memberFlags, target: { address, port: 0, networkId: parseNetworkId(networkId) } }
}

/** New nodes, one after the other. Gives the ms of each, and why others did not get in. */
async function joinAll(
  joiners: Child<SoakingMethods>,
  attack: string,
  joins: number,
  folder: string,
  flags: Record<string, unknown>
) {
  const times: number[] = []
  const failed: string[] = []
  for (let index = 0; index < joins; index++) {
    const from = performance.now()
    const name = `${attack.replaceAll(/[^a-z]+/g, '-')}-joiner-${index}`
    try {
      await joiners.call('start', folder, name, flags)
      await joiners.call('joined', name)
      times.push(performance.now() - from)
    } catch (error) {
      failed.push(`a join failed: ${String(error).split('\n')[0]}`)
    }
  }
  return { times, failed }
}

interface Victims {
  readonly root: Child<SoakingMethods>
  readonly node: Child<SoakingMethods>
  readonly memberFlags: Record<string, unknown>
  readonly target: RootAddress
}

interface Result {
  readonly name: string
  readonly lines: string[]
  readonly faults: string[]
  /** Limits by which an attacker was named, in the counters and in the log of the root. */
  readonly named: string[]
}

const victimNames = ['root', 'node'] as const
type PerVictim<T> = Record<(typeof victimNames)[number], T>

/** What is left of it when all that it began has run into its deadline. */
async function keptBy(victim: Child<SoakingMethods>, before: Rest): Promise<number> {
  const until = performance.now() + settleMs
  for (;;) {
    const kept = (await atRest(victim)).heldBytes - before.heldBytes
    if (kept <= bounds.kept || values.short || performance.now() > until) return kept
    await pause(1_000)
  }
}

type Judgement = Pick<Result, 'lines' | 'faults'>

/** What the attack cost its victims: at most while it lasted, and once it is over. */
async function judgeVictims({ root, node }: Victims, before: PerVictim<Rest>): Promise<Judgement> {
  const victims = { root, node }
  const loops = { root: await root.call('loop'), node: await node.call('loop') }
  const peaks = { root: await root.peakRss(), node: await node.peakRss() }
  const lines: string[] = []
  const faults: string[] = []
  for (const name of victimNames) {
    const grown = peaks[name] - before[name].rssBytes
    const kept = await keptBy(victims[name], before[name])
    const { p99Ms, maxMs, turnMs } = loops[name]
    const memory = `at most ${mib(peaks[name])} (+${mib(grown)}), kept ${mib(kept)}`
    lines.push(`${name}    ${memory}; event loop p99 ${ms(p99Ms)}, max ${ms(maxMs)}, longest turn ${ms(turnMs)}`)
    if (turnMs > bounds.turnMs) faults.push(`${name} did nothing else for ${ms(turnMs)}`)
    if (grown > bounds.peak) faults.push(`${name} grew by ${mib(grown)}`)
    if (kept > bounds.kept && !values.short) faults.push(`${name} kept ${mib(kept)}`)
  }
  return { lines, faults }
}

const culpritKey = ({ limit, who }: { limit: string; who: string }): string => `${limit} ${who}`

/** Limits that the log of the root names somebody for. */
const namedInLog = (folder: string): { names: Set<string>; lastMinute: number } => {
  const lines = readFileSync(join(folder, `${rootName}.log`), 'utf8')
    .split('\n')
    .filter((line) => line.includes('"limit"') && line.endsWith('}'))
    .map((line) => JSON.parse(line))
  return {
    names: new Set(lines.map(({ limit, peer, ipv6_addr }) => `${limit} ${peer ?? ipv6_addr}`)),
    lastMinute: lines.filter(({ timestamp }) => Date.now() - Date.parse(timestamp) < 60_000).length
  }
}

/** Who was named since `before`: attackers alone, and in the log as in the counters. */
async function judgeNames(
  root: Victims['root'],
  folder: string,
  before: ReadonlySet<string>,
  who: ReadonlySet<string>
) {
  const culprits = (await root.call('culprits', rootName)).filter((each) => !before.has(culpritKey(each)))
  const innocent = culprits
    .filter((each) => !who.has(each.who))
    .map((each) => `${culpritKey(each)} was named, who attacked nobody`)
  const unlogged = (await missingInLog(folder, culprits.map(culpritKey))).map(
    (each) => `the log has no line of ${each}`
  )
  return { named: [...new Set(culprits.map(({ limit }) => limit))], faults: [...innocent, ...unlogged] }
}

/** Those that the log does not name: its lines come a moment later than the counters, and only so many a minute. */
async function missingInLog(folder: string, culprits: readonly string[]): Promise<string[]> {
  const until = performance.now() + logMs
  for (;;) {
    const { names, lastMinute } = namedInLog(folder)
    const missing = culprits.filter((each) => !names.has(each))
    if (missing.length === 0 || lastMinute >= mostLines) return []
    if (performance.now() > until) return missing
    await pause(100)
  }
}

async function attackOnce(each: Case, ground: Ground, victims: Victims, folder: string): Promise<Result> {
  const { root, node, memberFlags, target } = victims
  const worker = new Child<HonestMethods>('honest', inNamespace(ground.honest))
  const joiners = new Child<SoakingMethods>('soaking', inNamespace(ground.honest))
  try {
    await worker.call('open', target, honest)
    const before = { root: await atRest(root), node: await atRest(node) }
    const namedBefore = new Set((await root.call('culprits', rootName)).map(culpritKey))
    const from = performance.now()
    const lastsMs = values.short ? shortMs : each.ms
    await ground.begin(target)
    const [asked, joined] = await Promise.all([
      worker.call('lookups', lookups, poisoned, lastsMs / lookups / 2),
      joinAll(joiners, each.name, values.short ? shortJoins : each.joins, folder, memberFlags)
    ])
    await pause(Math.max(0, lastsMs - (performance.now() - from)))
    const { lines, faults } = await judgeVictims(victims, before)
    const { sent, met, who } = await ground.end()
    const names = await judgeNames(root, folder, namedBefore, who)
    const lookedUp = `${asked.ms.length}/${lookups} lookups, p50 ${ms(quantile(asked.ms, 0.5))}, max ${ms(Math.max(...asked.ms))}`
    const { times } = joined
    lines.unshift(`sent    ${counts(sent)}`, `ended   ${counts(met)}`, `named   ${names.named.join(', ') || 'nobody'}`)
    lines.push(
      `honest  ${lookedUp}; ${times.length} joins, p50 ${ms(quantile(times, 0.5))}, max ${ms(Math.max(...times))}`
    )
    faults.push(...asked.failed, ...joined.failed, ...names.faults)
    if (asked.seqs.some((seq) => seq !== 1)) faults.push('the record of another was replaced')
    return { name: each.name, lines, faults, named: names.named }
  } finally {
    await endAll([worker, joiners])
  }
}

/** In a network of its own. */
async function runAlone(each: Case, prepared: string): Promise<Result> {
  const folder = mkdtempSync(join(tmpdir(), 'trustnet-hostile-'))
  cpSync(prepared, folder, { recursive: true })
  await using ground = each.ground()
  const victims = await startVictims(folder, ground)
  try {
    return await attackOnce(each, ground, victims, folder)
  } finally {
    await endAll([victims.root, victims.node])
    rmSync(folder, { recursive: true, force: true })
  }
}

/** All that need no namespaces, one after the other against the same two. */
async function runShort(chosen: readonly Case[], folder: string, done: (result: Result) => void): Promise<void> {
  await using quiet = loopback('none')
  const victims = await startVictims(folder, quiet)
  try {
    for (const each of chosen.filter(({ isOnLoopback }) => isOnLoopback)) {
      await using ground = each.ground()
      done(await attackOnce(each, ground, victims, folder))
    }
  } finally {
    await endAll([victims.root, victims.node])
  }
}

const prepared = mkdtempSync(join(tmpdir(), 'trustnet-hostile-'))
const results: Result[] = []
const tell = (result: Result): void => {
  results.push(result)
  say(`\n== ${result.name}`)
  for (const line of result.lines) say(`   ${line}`)
}
const chosen = cases.filter(({ name }) => name.includes(values.only))
try {
  {
    await using prepare = new Child<PrepareMethods>('prepare')
    await prepare.call('prepare', prepared, { members, records: true, open: true })
  }
  if (values.short) await runShort(chosen, prepared, tell)
  for (const each of values.short ? [] : chosen) {
    const reason = each.whyNot()
    if (reason === undefined) tell(await runAlone(each, prepared))
    else say(`\n== ${each.name}\n   skipped: it ${reason}`)
  }
} finally {
  rmSync(prepared, { recursive: true, force: true })
}
if (values.json !== undefined) writeFileSync(values.json, JSON.stringify(results))
const faults = results.flatMap(({ name, faults: found }) => found.map((fault) => `${name}: ${fault}`))
for (const fault of faults) say(`FAILED ${fault}`)
if (faults.length > 0) process.exitCode = 1
