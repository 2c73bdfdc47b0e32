import { setTimeout as pause } from 'node:timers/promises'
import { parseNetworkId } from '../../src/identity/network-id.ts'
import { Child, type ChildOptions } from '../harness/child.ts'
import { rootName } from '../harness/network.ts'
import { type Pace, slower } from '../harness/pace.ts'
import type { RootAddress } from '../processes/root.ts'
import type { SoakingMethods } from '../processes/soaking.ts'
import type { Ground } from './ground.ts'
import { mib, ms } from './units.ts'

const MiB = 2 ** 20
/**
 * By how much the memory of a process may grow beyond what honest work alone takes, and what may be held when all is over; and how long one
 * turn of its event loop may take on a machine of the usual pace.
 */
const bounds = { peak: 100 * MiB, kept: 16 * MiB, turnMs: 250 }
/** The longest deadline of what may still go on when an attack is over. */
const settleMs = 40_000

export interface Victims {
  readonly root: Child<SoakingMethods>
  readonly node: Child<SoakingMethods>
  readonly memberFlags: Record<string, unknown>
  readonly target: RootAddress
}

export const inNamespace = (namespace: string | undefined): ChildOptions =>
  namespace === undefined ? {} : { namespace }

/** A root and a node that know nothing of what comes. */
export async function startVictims(folder: string, ground: Ground, rootFlags: object = {}): Promise<Victims> {
  const place = inNamespace(ground.victims)
  const root = new Child<SoakingMethods>('soaking', place)
  const node = new Child<SoakingMethods>('soaking', place)
  const flags = { 'heartbeat.interval': '3s', 'heartbeat.timeout': '2s', ...ground.flags }
  await root.call('start', folder, rootName, { role: 'root', 'admission.policy': 'open', ...flags, ...rootFlags })
  await root.call('release', rootName)
  const address = await root.call('address', rootName)
  const networkId = await root.call('networkId', rootName)
  const memberFlags = { ...flags, networkId, 'bootstrap.peers': [address] }
  await node.call('start', folder, 'node', memberFlags)
  await node.call('joined', 'node')
  return { root, node, memberFlags, target: { address, port: 0, networkId: parseNetworkId(networkId) } }
}

const names = ['root', 'node'] as const
type PerVictim<T> = Record<(typeof names)[number], T>

const each = async <T>(of: (name: (typeof names)[number]) => Promise<T>): Promise<PerVictim<T>> => {
  const [root, node] = await Promise.all([of('root'), of('node')])
  return { root, node }
}

interface Rest {
  readonly rssBytes: number
  readonly heldBytes: number
  readonly pace: Pace
}

/** After a garbage collection. What is measured from here on begins. */
export const atRest = async (victims: Victims): Promise<PerVictim<Rest>> =>
  await each(async (name) => {
    const pace = await victims[name].pace()
    const { rssBytes, heldBytes } = await victims[name].call('sample')
    await victims[name].peakRss()
    await victims[name].call('loop')
    return { rssBytes, heldBytes, pace }
  })

export interface Cost {
  readonly peakBytes: number
  readonly turnMs: number
  readonly p99Ms: number
  readonly maxMs: number
}

/** What the victims have used at most since they were at rest. */
export const costOf = async (victims: Victims): Promise<PerVictim<Cost>> =>
  await each(async (name) => ({
    ...(await victims[name].call('loop')),
    peakBytes: await victims[name].peakRss()
  }))

/** At rest again, when all that the attack began has run into its deadline; `isShort`: at once. */
export async function afterwards(
  victims: Victims,
  before: PerVictim<Rest>,
  isShort: boolean
): Promise<PerVictim<Rest>> {
  const until = performance.now() + settleMs
  for (;;) {
    const after = await atRest(victims)
    const keep = names.some((name) => after[name].heldBytes - before[name].heldBytes > bounds.kept)
    if (isShort || !keep || performance.now() > until) return after
    await pause(1_000)
  }
}

export interface Judgement {
  readonly lines: string[]
  readonly faults: string[]
  /** What took too long, for which the machine may be to blame. */
  readonly late: string[]
}

export type Rests = PerVictim<Rest>

/** The most memory that the victims have had, in bytes. */
export type Peaks = PerVictim<number>

/**
 * What the victims take beside honest work alone, after which they are at rest. A process that was just started has not touched the memory in
 * which it works: what an attack adds begins behind that.
 */
export async function peaksBeside(victims: Victims, work: () => Promise<unknown>): Promise<Peaks> {
  await atRest(victims)
  await work()
  return await each(async (name) => await victims[name].peakRss())
}

interface Measured {
  readonly usual: Peaks
  readonly before: Rests
  readonly cost: PerVictim<Cost>
  readonly after: Rests
}

/** What the attack cost its victims: at most while it lasted, and once it is over. */
export function judgeVictims({ usual, before, cost, after }: Measured, isShort: boolean): Judgement {
  const lines: string[] = []
  const faults: string[] = []
  const late: string[] = []
  for (const name of names) {
    const { peakBytes, turnMs, p99Ms, maxMs } = cost[name]
    // An attack before it may have left free memory with the allocator.
    const grown = Math.max(0, peakBytes - Math.max(usual[name], before[name].rssBytes))
    const kept = after[name].heldBytes - before[name].heldBytes
    const mostMs = bounds.turnMs * slower(before[name].pace, after[name].pace).cpu
    const memory = `at most ${mib(peakBytes)} (+${mib(grown)}), kept ${mib(kept)}`
    const turn = `longest turn ${ms(turnMs)} of ${ms(mostMs)}`
    lines.push(`${name}    ${memory}; event loop p99 ${ms(p99Ms)}, max ${ms(maxMs)}, ${turn}`)
    if (turnMs > mostMs) late.push(`${name} did nothing else for ${ms(turnMs)}, where ${ms(mostMs)} are allowed`)
    if (grown > bounds.peak) faults.push(`${name} grew by ${mib(grown)} beyond what honest work takes`)
    if (kept > bounds.kept && !isShort) faults.push(`${name} kept ${mib(kept)}`)
  }
  return { lines, faults, late }
}
