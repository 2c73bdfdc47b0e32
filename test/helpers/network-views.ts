import type { TrustNode } from '../../src/node/node.ts'
import type { State } from '../../src/registry/liveness/liveness.ts'
import { ceilingMs } from './ceiling.ts'
import { eventually } from './network.ts'

/** States of all members as one node sees them, by name. */
export function statesAt(node: TrustNode): Record<string, State> {
  const { replica, liveness } = node.registry
  const members = [...replica.state.members()].toSorted((a, b) => (a.name < b.name ? -1 : 1))
  return Object.fromEntries(members.map(({ name, publicKey }) => [name, liveness.view(publicKey).state]))
}

export function memberAt(node: TrustNode, name: string) {
  const member = node.registry.replica.state.memberByName(name)
  if (member === undefined) throw new Error(`${node.config.name} knows no member ${name}`)
  return member
}

/** What one node thinks of another one. */
export const viewOf = (node: TrustNode, name: string) => node.registry.liveness.view(memberAt(node, name).publicKey)

/** Name of the registry that holds the node's lease. */
export const leaseAt = (node: TrustNode): string | undefined => node.network?.session?.peer.name

/** True when everybody sees all the others in that state. */
export const allSee = (nodes: readonly TrustNode[], name: string, state: State): boolean =>
  nodes.every((node) => node.config.name === name || stateAt(node, name) === state)

/** undefined: the node does not know such a member yet. */
export const stateAt = (node: TrustNode, name: string): State | undefined => {
  const member = node.registry.replica.state.memberByName(name)
  return member && node.registry.liveness.view(member.publicKey).state
}

/** Every state that a node shows for a member from now on. Returns how to stop, which gives them. */
export function watchStates(node: TrustNode, name: string): () => State[] {
  const seen: State[] = []
  const look = (): void => {
    const { state } = viewOf(node, name)
    if (seen.at(-1) !== state) seen.push(state)
  }
  look()
  const stop = node.events.listen('changed', look)
  return () => {
    stop()
    return seen
  }
}

/** For the message of a test that fails: what each of them thinks of one. */
export const opinions = (nodes: readonly TrustNode[], name: string): string =>
  nodes
    .map((node) => {
      if (stateAt(node, name) === undefined) return ` | ${node.config.name}: no such member`
      const { state, reason, source } = viewOf(node, name)
      const by = node.registry.replica.state.member(source ?? new Uint8Array())?.name
      return ` | ${node.config.name} (lease at ${leaseAt(node)}): ${state} ${reason} by ${by}`
    })
    .join('')

/** Waits until all the others see that the member is down: suspect, or offline where the lease has run out meanwhile. */
export const seenDown = async (nodes: readonly TrustNode[], name: string): Promise<void> =>
  await eventually(
    () => nodes.every((node) => node.config.name === name || down.has(stateAt(node, name) ?? 'unknown')),
    undefined,
    () => opinions(nodes, name)
  )

const down: ReadonlySet<State> = new Set(['suspect', 'offline'])

/** Waits until all the others see the member in that state. */
export const seenBy = async (nodes: readonly TrustNode[], name: string, state: State, ms?: number): Promise<void> =>
  await eventually(
    () => allSee(nodes, name, state),
    ms,
    () => opinions(nodes, name)
  )

/** Has a registry ask until each other member that serves has said whether it reaches each of the members, without its pauses. */
export async function probeAll(registry: TrustNode, ...publicKeys: readonly Uint8Array[]): Promise<void> {
  const { matrixProber, matrix } = registry.attached
  const signal = AbortSignal.timeout(ceilingMs)
  const wanted = registry.registry.replica.state.memberCount - 1
  const isTold = (publicKey: Uint8Array): boolean =>
    matrix.words.told(publicKey).some(({ addrs }) => addrs.every(({ words }) => words.length === wanted))
  await eventually(async () => {
    for (const { publicKey } of registry.registry.replica.state.members()) matrixProber?.look(publicKey)
    await matrixProber?.round(signal)
    return publicKeys.every((publicKey) => isTold(publicKey))
  })
}
