import type { Overlay } from './overlay.ts'

/** One message on its way through the mesh. */
export interface Spread {
  /** Nodes that have it. */
  readonly reached: number
  readonly copies: number
  /** When half of the nodes, 99 of 100 and the last one had it, ms. */
  readonly p50: number
  readonly p99: number
  readonly last: number
}

export interface LinkInit {
  /** Least and most ms from one node to the next: the way, and verifying before passing on. */
  leastMs: number
  mostMs: number
  /** Part of the copies that get lost: the stream was just cut. */
  loss: number
  random: () => number
}

/** Counts the bytes of each node. */
export interface Meter {
  readonly sent: Float64Array
  readonly received: Float64Array
}

export const newMeter = (nodes: number): Meter => ({
  sent: new Float64Array(nodes),
  received: new Float64Array(nodes)
})

/** Every node passes on what it gets first to all of its mesh but the one that it came from. */
export function spreadMessage(
  overlay: Overlay,
  origin: number,
  bytes: number,
  meter: Meter,
  { leastMs, mostMs, loss, random }: LinkInit
): Spread {
  const has = new Uint8Array(overlay.nodes)
  const arrivals: { node: number; from: number }[][] = [[{ node: origin, from: origin }]]
  const times: number[] = []
  let copies = 0
  for (let ms = 0; ms < arrivals.length; ms++) {
    for (const { node, from } of arrivals[ms] ?? []) {
      if (has[node] === 1) continue
      has[node] = 1
      times.push(ms)
      for (const next of overlay.mesh[node] ?? []) {
        if (next === from) continue
        copies++
        meter.sent[node] = (meter.sent[node] ?? 0) + bytes
        if (random() < loss) continue
        meter.received[next] = (meter.received[next] ?? 0) + bytes
        if (has[next] === 1) continue
        const at = ms + Math.round(leastMs + (mostMs - leastMs) * random())
        while (arrivals.length <= at) arrivals.push([])
        arrivals[at]?.push({ node: next, from: node })
      }
    }
  }
  const when = (part: number): number => times[Math.floor((times.length - 1) * part)] ?? Number.NaN
  return { reached: times.length, copies, p50: when(0.5), p99: when(0.99), last: when(1) }
}

/**
 * Each second a node tells some peers outside its mesh which messages of the last three seconds it has. Gives the number of those
 * peers, as a mean of all nodes.
 */
export function tellIds(
  overlay: Overlay,
  perSecond: readonly number[],
  sizes: { ihave: number; ihaveId: number },
  meter: Meter
): number {
  let toldInAll = 0
  const frames = perSecond.map((_, second) => {
    const ids = perSecond
      .slice(Math.max(0, second - historySeconds + 1), second + 1)
      .reduce((sum, each) => sum + each, 0)
    return ids === 0 ? 0 : sizes.ihave + ids * sizes.ihaveId
  })
  const bytes = frames.reduce((sum, each) => sum + each, 0)
  for (let node = 0; node < overlay.nodes; node++) {
    const others = (overlay.peers[node]?.length ?? 0) - (overlay.mesh[node]?.length ?? 0)
    const told = Math.min(others, Math.max(lazyPeers, gossipFactor * others))
    toldInAll += told
    meter.sent[node] = (meter.sent[node] ?? 0) + bytes * told
    const mesh = new Set(overlay.mesh[node])
    for (const peer of overlay.peers[node] ?? []) {
      if (!mesh.has(peer)) meter.received[peer] = (meter.received[peer] ?? 0) + (bytes * told) / others
    }
  }
  return toldInAll / overlay.nodes
}

/** gossipsub's mcacheGossip, Dlazy and gossipFactor. */
const historySeconds = 3
const lazyPeers = 6
const gossipFactor = 0.25
