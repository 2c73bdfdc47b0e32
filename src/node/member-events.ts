import { equals } from 'uint8arrays/equals'
import { peerIdText } from '../identity/keys.ts'
import { isUp, type State } from '../registry/liveness/states.ts'
import type { Registry } from '../registry/registry.ts'
import type { PeerState } from './api/control-api.ts'
import type { NodeContext } from './node-context.ts'

/** A member that has joined, left, or goes from one state to another, as far as this node knows. */
export interface MemberEvent {
  readonly event: 'join' | 'leave' | 'suspect' | 'offline' | 'back'
  /** null as a name: its membership is over. */
  readonly peer: { peerId: string; name: string | null; state: PeerState; reason: string | null }
}

/** Event of a member that goes from one state to another; undefined: nothing worth telling. */
export function eventOf(before: State | undefined, now: State): MemberEvent['event'] | undefined {
  if (before === undefined || before === now) return undefined
  if (now === 'suspect' || now === 'offline') return now
  if (now === 'left') return 'leave'
  return isUp(now) && !isUp(before) && before !== 'unknown' ? 'back' : undefined
}

const peerOf = (registry: Registry | undefined, publicKey: Uint8Array, name: string | null): MemberEvent['peer'] => {
  const { state = 'unknown', reason } = registry?.liveness.view(publicKey) ?? {}
  return { peerId: peerIdText(publicKey), name, state, reason: reason ?? null }
}

/** Tells what happens to the other members from now on. Gives how to stop. */
export function followMembers(
  node: Pick<NodeContext, 'events' | 'network' | 'key'>,
  tell: (event: MemberEvent) => void
): () => void {
  const states = new Map<string, State>()
  const { events } = node
  const registry = (): Registry | undefined => node.network?.registry
  const nameOf = (publicKey: Uint8Array): string | null => registry()?.replica.state.member(publicKey)?.name ?? null
  const look = (publicKey: Uint8Array): void => {
    const name = nameOf(publicKey)
    if (name === null || equals(publicKey, node.key.publicKey)) return
    const peer = peerOf(registry(), publicKey, name)
    const event = eventOf(states.get(peer.peerId), peer.state)
    states.set(peer.peerId, peer.state)
    if (event !== undefined) tell({ event, peer })
  }
  const stops = [
    events.listen('hint', ({ hint }) => look(hint.publicKey)),
    events.listen('record', ({ record }) => look(record.value.publicKey)),
    events.listen('connection', ({ publicKey }) => look(publicKey)),
    events.listen('admitted', ({ publicKey }) => {
      if (equals(publicKey, node.key.publicKey)) return
      tell({ event: 'join', peer: peerOf(registry(), publicKey, nameOf(publicKey)) })
    }),
    events.listen('ended', ({ publicKey }) => {
      states.delete(peerIdText(publicKey))
      tell({ event: 'leave', peer: { ...peerOf(registry(), publicKey, null), reason: 'its membership is over' } })
    })
  ]
  return () => {
    for (const stop of stops) stop()
  }
}
