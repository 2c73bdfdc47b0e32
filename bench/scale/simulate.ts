import { pullIntervalMs } from '../../src/node/replication/replicator.ts'
import { defaultLimits } from '../../src/protocols/engine/limits.ts'
import { Pinger } from '../../src/protocols/register/pinger.ts'
import { systemClock } from '../../src/runtime/clock-and-logger.ts'
import { quantile } from '../harness/spread.ts'
import { type Meter, newMeter, type Spread, spreadMessage, tellIds } from './gossip.ts'
import { type Happenings, type Life, makeHappenings } from './happenings.ts'
import { makeOverlay, type Overlay } from './overlay.ts'
import { type PullPolicy, pullBytes } from './pull.ts'
import { type Change, push } from './push.ts'
import { seededRandom } from './random.ts'
import type { Sizes } from './sizes.ts'

/** A network, and the rules that its members follow. */
export interface Scenario extends Life {
  readonly seed: number
  readonly nodesPerRegistry: number
  /** Connections that a node keeps to registries, and to members in all. */
  readonly registriesWanted: number
  readonly peersWanted: number
  readonly heartbeatMs: number
  readonly pullMs: number
  /** Members that a registry gossips with. */
  readonly circle: number
  readonly pull: PullPolicy
}

export const flows = ['gossip', 'gossip ids', 'push', 'pull', 'session'] as const
export type Flow = (typeof flows)[number]

/** Bytes a second of one node, as a mean. */
export interface Rate {
  readonly received: number
  readonly sent: number
}

export type Traffic = Readonly<Record<Flow, { readonly node: Rate; readonly registry: Rate }>>

export interface Simulated {
  readonly traffic: Traffic
  readonly registries: number
  /** Connections, as a mean. */
  readonly connections: { readonly node: number; readonly registry: number }
  /** Gossip messages a second, copies of each that a node gets, and below the part of the nodes that miss one. */
  readonly rate: number
  readonly copies: number
  /** Peers that a node tells which messages it has. */
  readonly told: number
  readonly missed: number
  /** When half of the nodes, and 99 of 100, have a message. */
  readonly p50Ms: number
  readonly p99Ms: number
  /** Frames a second that a registry pushes to each subscriber. */
  readonly pushes: number
}

/** From one node to the next, over some distance, with a little work. A copy is lost when its stream was just cut. */
const link = { leastMs: 12, mostMs: 65, loss: 0.005 }
const pushesPerSecond = 5_000
/** Between a node's goodbye and its return. */
const restartSeconds = 5

export function simulate(scenario: Scenario, sizes: Sizes): Simulated {
  const { nodes, nodesPerRegistry, seconds } = scenario
  const random = seededRandom(scenario.seed)
  const registries = Math.max(1, Math.ceil(nodes / nodesPerRegistry))
  const overlay = makeOverlay({ ...scenario, registries, random })
  const happenings = makeHappenings(scenario, random)
  const { messages, ids, ...gossip } = runGossip(scenario, overlay, happenings, sizes, random)
  const { meter, pushes } = runPush(scenario, overlay, happenings, sizes)
  return {
    traffic: {
      gossip: ratesOf(messages, overlay, seconds),
      'gossip ids': ratesOf(ids, overlay, seconds),
      push: ratesOf(meter, overlay, seconds),
      pull: runPull(scenario, sizes, happenings.recordRate, gossip, random),
      session: sessionRates(scenario, sizes, nodes / registries)
    },
    registries,
    connections: { node: connectionsOf(overlay, registries, nodes), registry: connectionsOf(overlay, 0, registries) },
    ...gossip,
    pushes: pushes / seconds
  }
}

function runGossip(
  { seconds, nodes }: Scenario,
  overlay: Overlay,
  happenings: Happenings,
  sizes: Sizes,
  random: () => number
) {
  const messages = newMeter(nodes)
  const ids = newMeter(nodes)
  const spreads: Spread[] = []
  const perSecond = Array.from({ length: seconds }, () => 0)
  const send = (at: number, origin: number, bytes: number): void => {
    const second = Math.floor(at)
    if (second >= seconds) return
    perSecond[second] = (perSecond[second] ?? 0) + 1
    spreads.push(spreadMessage(overlay, origin, bytes, messages, { ...link, random }))
  }
  for (const at of happenings.records) send(at, Math.floor(random() * nodes), sizes.gossipRecord)
  for (const at of happenings.heads) send(at, 0, sizes.gossipHead)
  const told = tellIds(overlay, perSecond, sizes, ids)
  const mean = (of: (spread: Spread) => number): number =>
    spreads.reduce((sum, spread) => sum + of(spread), 0) / spreads.length
  const median = (of: (spread: Spread) => number): number => quantile(spreads.map(of), 0.5)
  return {
    messages,
    ids,
    told,
    rate: spreads.length / seconds,
    copies: mean(({ copies }) => copies / nodes),
    missed: mean(({ reached }) => 1 - reached / nodes),
    p50Ms: median(({ p50 }) => p50),
    p99Ms: median(({ p99 }) => p99)
  }
}

function runPush(scenario: Scenario, { registries }: Overlay, happenings: Happenings, sizes: Sizes) {
  const { nodes } = scenario
  const meter = newMeter(nodes)
  const states = inOrder([
    ...happenings.restarts.flatMap((at) => [at, at + restartSeconds].map((each) => ({ at: each, bytes: sizes.hint }))),
    ...happenings.entries.map(({ at, kind }) => ({ at, bytes: sizes[kind] })),
    ...happenings.heads.map((at) => ({ at, bytes: sizes.checkpoint }))
  ])
  const records = inOrder(happenings.records.map((at) => ({ at, bytes: sizes.record })))
  let pushes = 0
  for (let registry = 0; registry < registries; registry++) {
    const subscribers: number[] = []
    for (let node = registries + registry; node < nodes; node += registries) subscribers.push(node)
    const init = { registry, frameBytes: sizes.frame, windowSeconds: subscribers.length / pushesPerSecond }
    pushes = push({ ...init, subscribers, changes: states }, meter)
    const withRecords = subscribers.slice(0, defaultLimits.sync.recordSubscribers)
    push({ ...init, subscribers: withRecords, changes: records }, meter)
    // The root tells the secondaries everything.
    if (registry > 0) push({ ...init, registry: 0, subscribers: [registry], changes: [...states, ...records] }, meter)
  }
  return { meter, pushes }
}

function runPull(
  { nodes, pullMs, peersWanted, pull }: Scenario,
  sizes: Sizes,
  recordRate: number,
  { missed, p99Ms }: { missed: number; p99Ms: number },
  random: () => number
) {
  const intervalSeconds = pullIntervalMs(pullMs, nodes) / 1_000
  const bytes = pullBytes({
    policy: pull,
    nodes,
    intervalSeconds,
    sources: peersWanted,
    recordRate,
    missed,
    underwaySeconds: p99Ms / 1_000,
    sizes,
    random
  })
  // Members serve one another: what one receives another one sent.
  const rate = { received: bytes / intervalSeconds, sent: bytes / intervalSeconds }
  return { node: rate, registry: rate }
}

export const pingIntervalMs = (sessions: number): number =>
  new Pinger(defaultLimits.register, 0, systemClock).intervalMs(sessions)

/** Heartbeats that the node sends, and pings that the registry sends, with their answers. */
function sessionRates({ heartbeatMs }: Scenario, sizes: Sizes, perRegistry: number) {
  const pingMs = pingIntervalMs(perRegistry)
  const received = (sizes.heartbeatAnswer * 1_000) / heartbeatMs + (sizes.ping * 1_000) / pingMs
  const sent = (sizes.heartbeat * 1_000) / heartbeatMs + (sizes.ping * 1_000) / pingMs
  return { node: { received, sent }, registry: { received: sent * perRegistry, sent: received * perRegistry } }
}

const inOrder = (changes: readonly Change[]): Change[] => changes.toSorted((a, b) => a.at - b.at)

const meanOf = (values: Float64Array | number[], from: number, to: number): number => {
  let sum = 0
  for (let index = from; index < to; index++) sum += values[index] ?? 0
  return sum / (to - from)
}

const connectionsOf = ({ connected }: Overlay, from: number, to: number): number =>
  meanOf(
    connected.map(({ length }) => length),
    from,
    to
  )

function ratesOf({ received, sent }: Meter, { registries, nodes }: Overlay, seconds: number) {
  const rate = (from: number, to: number): Rate => ({
    received: meanOf(received, from, to) / seconds,
    sent: meanOf(sent, from, to) / seconds
  })
  return { node: rate(registries, nodes), registry: rate(0, registries) }
}
