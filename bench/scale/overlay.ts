/** Members as a graph: who is connected to whom, who gossips with whom, and whose mesh has whom. Registries are the first nodes. */
export interface Overlay {
  readonly nodes: number
  readonly registries: number
  readonly connected: readonly (readonly number[])[]
  readonly peers: readonly (readonly number[])[]
  readonly mesh: readonly (readonly number[])[]
}

export interface OverlayInit {
  nodes: number
  registries: number
  /** Registries that a plain node keeps connections to. */
  registriesWanted: number
  /** Connections that a node opens until it has so many. */
  peersWanted: number
  /** Members that a registry gossips with. */
  circle: number
  random: () => number
}

/** gossipsub's D and Dhi. */
const meshWanted = 6
const meshMost = 12

const below = (limit: number, random: () => number): number => Math.floor(random() * limit)

/** Nodes that started one after the other, each with connections to registries and to members drawn at random. */
export function makeOverlay(init: OverlayInit): Overlay {
  const { nodes, registries, registriesWanted, peersWanted, circle, random } = init
  const peers: Set<number>[] = Array.from({ length: nodes }, () => new Set())
  const connect = (a: number, b: number): void => {
    peers[a]?.add(b)
    peers[b]?.add(a)
  }
  for (let a = 0; a < registries; a++) for (let b = 0; b < a; b++) connect(a, b)
  for (let node = registries; node < nodes; node++) {
    const offset = below(registries, random)
    for (let i = 0; i < Math.min(registries, registriesWanted); i++) connect(node, (offset + i) % registries)
    for (let tries = 0; tries < 4 * peersWanted && (peers[node]?.size ?? 0) < peersWanted; tries++) {
      const other = below(node, random)
      if (other >= registries) connect(node, other)
    }
  }
  const connected = peers.map((set) => [...set])
  const circles = connected
    .slice(0, registries)
    .map((others) => new Set(others.filter((other) => other >= registries).slice(0, circle)))
  const gossip = connected.map((others, node) => others.filter((other) => gossips(node, other) && gossips(other, node)))
  return { nodes, registries, connected, peers: gossip, mesh: makeMesh(gossip, random) }

  /** A registry takes those that came first. */
  function gossips(node: number, other: number): boolean {
    if (node >= registries || other < registries) return true
    return circles[node]?.has(other) === true
  }
}

function makeMesh(peers: readonly (readonly number[])[], random: () => number): number[][] {
  const mesh: Set<number>[] = peers.map(() => new Set())
  for (const [node, others] of peers.entries()) {
    const own = mesh[node]
    if (own === undefined) continue
    for (let tries = 0; tries < 8 * meshWanted && own.size < Math.min(meshWanted, others.length); tries++) {
      const other = others[below(others.length, random)] ?? node
      const theirs = mesh[other]
      if (theirs === undefined || theirs.size >= meshMost) continue
      own.add(other)
      theirs.add(node)
    }
  }
  return mesh.map((set) => [...set])
}
