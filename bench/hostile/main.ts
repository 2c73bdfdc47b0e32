import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { parseNetworkId } from '../../src/identity/network-id.ts'
import { Child, type ChildOptions, endAll } from '../harness/child.ts'
import { rootName } from '../harness/network.ts'
import { quantile } from '../harness/spread.ts'
import type { HonestMethods } from '../processes/honest.ts'
import type { PrepareMethods } from '../processes/prepare.ts'
import type { SoakingMethods } from '../processes/soaking.ts'
import { poisoned } from './attacks/records.ts'
import { type Case, cases } from './cases.ts'
import type { Ground } from './ground.ts'

/**
 * `npm run hostile`: each hostile traffic against a root and a node in processes of their own, beside honest work; `-- --only WORDS` for some
 * of it. Ends with 1 when honest work failed or memory grew beyond its bound.
 */
const { values } = parseArgs({ options: { only: { type: 'string', default: '' } } })
const members = 300
const honest = 2
const lookups = 20
const MiB = 2 ** 20
const say = (line: string): void => void process.stdout.write(`${line}\n`)
const mib = (bytes: number): string => `${Math.round(bytes / MiB)} MiB`
const ms = (value: number): string => `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`
const counts = (map: ReadonlyMap<string, number>): string =>
  [...map].map(([what, count]) => `${count.toLocaleString('en-US')} ${what}`).join(', ') || 'nothing'

/** By how much the memory of a process may grow: with what is not collected yet, and without it. */
const bounds = { peak: 256 * MiB, kept: 16 * MiB }
/** The longest deadline of what may still go on when an attack is over. */
const settleMs = 40_000

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
async function startVictims(folder: string, ground: Ground) {
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
async function joinAll(joiners: Child<SoakingMethods>, joins: number, folder: string, flags: Record<string, unknown>) {
  const times: number[] = []
  const failed: string[] = []
  for (let index = 0; index < joins; index++) {
    const from = performance.now()
    try {
      await joiners.call('start', folder, `joiner-${index}`, flags)
      await joiners.call('joined', `joiner-${index}`)
      times.push(performance.now() - from)
    } catch (error) {
      failed.push(`a join failed: ${String(error).split('\n')[0]}`)
    }
  }
  return { times, failed }
}

interface Result {
  readonly lines: string[]
  readonly faults: string[]
}

const victimNames = ['root', 'node'] as const
type PerVictim<T> = Record<(typeof victimNames)[number], T>

/** What is left of it when all that it began has run into its deadline. */
async function keptBy(victim: Child<SoakingMethods>, before: Rest): Promise<number> {
  const until = performance.now() + settleMs
  for (;;) {
    const kept = (await atRest(victim)).heldBytes - before.heldBytes
    if (kept <= bounds.kept || performance.now() > until) return kept
    await pause(1_000)
  }
}

/** What the attack cost its victims: at most while it lasted, and once it is over. */
async function judgeVictims(
  victims: PerVictim<Child<SoakingMethods>>,
  before: PerVictim<Rest>,
  end: Ground['end']
): Promise<Result> {
  const loops = { root: await victims.root.call('loop'), node: await victims.node.call('loop') }
  const peaks = { root: await victims.root.peakRss(), node: await victims.node.peakRss() }
  const { sent, met } = await end()
  const lines = [`sent    ${counts(sent)}`, `ended   ${counts(met)}`]
  const faults: string[] = []
  for (const name of victimNames) {
    const grown = peaks[name] - before[name].rssBytes
    const kept = await keptBy(victims[name], before[name])
    const { p99Ms, maxMs } = loops[name]
    const memory = `at most ${mib(peaks[name])} (+${mib(grown)}), kept ${mib(kept)}`
    lines.push(`${name}    ${memory}; event loop p99 ${ms(p99Ms)}, max ${ms(maxMs)}`)
    if (grown > bounds.peak) faults.push(`${name} grew by ${mib(grown)}`)
    if (kept > bounds.kept) faults.push(`${name} kept ${mib(kept)}`)
  }
  return { lines, faults }
}

async function run(each: Case, prepared: string): Promise<Result> {
  const folder = mkdtempSync(join(tmpdir(), 'trustnet-hostile-'))
  cpSync(prepared, folder, { recursive: true })
  await using ground = each.ground()
  const { root, node, memberFlags, target } = await startVictims(folder, ground)
  const worker = new Child<HonestMethods>('honest', inNamespace(ground.honest))
  const joiners = new Child<SoakingMethods>('soaking', inNamespace(ground.honest))
  try {
    await worker.call('open', target, honest)
    const before = { root: await atRest(root), node: await atRest(node) }
    const from = performance.now()
    await ground.begin(target)
    const [asked, joined] = await Promise.all([
      worker.call('lookups', lookups, poisoned, each.ms / lookups / 2),
      joinAll(joiners, each.joins, folder, memberFlags)
    ])
    await pause(Math.max(0, each.ms - (performance.now() - from)))
    const { lines, faults } = await judgeVictims({ root, node }, before, () => ground.end())
    const lookedUp = `${asked.ms.length}/${lookups} lookups, p50 ${ms(quantile(asked.ms, 0.5))}, max ${ms(Math.max(...asked.ms))}`
    const { times } = joined
    lines.push(
      `honest  ${lookedUp}; ${times.length}/${each.joins} joins, p50 ${ms(quantile(times, 0.5))}, max ${ms(Math.max(...times))}`
    )
    faults.push(...asked.failed, ...joined.failed)
    if (asked.seqs.some((seq) => seq !== 1)) faults.push('the record of another was replaced')
    return { lines, faults }
  } finally {
    await endAll([root, node, worker, joiners])
    rmSync(folder, { recursive: true, force: true })
  }
}

const prepared = mkdtempSync(join(tmpdir(), 'trustnet-hostile-'))
const faults: string[] = []
try {
  {
    await using prepare = new Child<PrepareMethods>('prepare')
    await prepare.call('prepare', prepared, { members, records: true, open: true })
  }
  for (const each of cases.filter(({ name }) => name.includes(values.only))) {
    say(`\n== ${each.name}`)
    const reason = each.whyNot()
    if (reason !== undefined) {
      say(`   skipped: it ${reason}`)
      continue
    }
    const result = await run(each, prepared)
    for (const line of result.lines) say(`   ${line}`)
    faults.push(...result.faults.map((fault) => `${each.name}: ${fault}`))
  }
} finally {
  rmSync(prepared, { recursive: true, force: true })
}
for (const fault of faults) say(`FAILED ${fault}`)
if (faults.length > 0) process.exitCode = 1
