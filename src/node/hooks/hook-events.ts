import { equals } from 'uint8arrays/equals'
import { peerIdText } from '../../identity/keys.ts'
import { isUp, type State } from '../../registry/liveness/states.ts'
import type { Registry } from '../../registry/registry.ts'
import type { NodeContext } from '../node-context.ts'
import { type HookEvent, HookRunner } from './hook-runner.ts'

type Kind = HookEvent['event']

/** Event of a member that goes from one state to another; undefined: nothing that a hook is run for. */
export function eventOf(before: State | undefined, now: State): Kind | undefined {
  if (before === undefined || before === now) return undefined
  if (now === 'suspect' || now === 'offline') return now
  if (now === 'left') return 'leave'
  return isUp(now) && !isUp(before) && before !== 'unknown' ? 'back' : undefined
}

const peerOf = (
  registry: Registry | undefined,
  publicKey: Uint8Array,
  name: string | null
): NonNullable<HookEvent['peer']> => {
  const { state = 'unknown', reason } = registry?.liveness.view(publicKey) ?? {}
  return { peerId: peerIdText(publicKey), name, state, reason: reason ?? null }
}

/** Runs the hook of a node for what happens to members, and for each alarm. Gives how to stop. */
export function followHooks(node: NodeContext): () => void {
  const { logger } = node.logging
  const program = (): string | undefined => node.config.hooks.onEvent
  const runner = new HookRunner({ program, timeoutMs: () => node.config.hooks.timeoutMs, logger })
  const states = new Map<string, State>()
  const { events, clock } = node
  const registry = (): Registry | undefined => node.network?.registry
  const tell = (event: Kind, peer: HookEvent['peer'], alarm: HookEvent['alarm'] = null): void => {
    const self = { peerId: node.peerId, name: node.config.name }
    runner.add({ event, at: new Date(clock.now()).toISOString(), node: self, peer, alarm })
  }
  const nameOf = (publicKey: Uint8Array): string | null => registry()?.replica.state.member(publicKey)?.name ?? null
  const look = (publicKey: Uint8Array): void => {
    const name = nameOf(publicKey)
    if (name === null || equals(publicKey, node.key.publicKey)) return
    const peer = peerOf(registry(), publicKey, name)
    const id = peer.peerId
    const now = registry()?.liveness.view(publicKey).state ?? 'unknown'
    const event = eventOf(states.get(id), now)
    states.set(id, now)
    if (event !== undefined) tell(event, peer)
  }
  const stops = [
    events.listen('hint', ({ hint }) => look(hint.publicKey)),
    events.listen('record', ({ record }) => look(record.value.publicKey)),
    events.listen('connection', ({ publicKey }) => look(publicKey)),
    events.listen('admitted', ({ publicKey }) => {
      if (!equals(publicKey, node.key.publicKey)) tell('join', peerOf(registry(), publicKey, nameOf(publicKey)))
    }),
    events.listen('ended', ({ publicKey }) => {
      states.delete(peerIdText(publicKey))
      tell('leave', { ...peerOf(registry(), publicKey, null), reason: 'its membership is over' })
    }),
    events.listen('alarm', ({ code, message }) => tell('alarm', null, { code, message }))
  ]
  return () => {
    for (const stop of stops) stop()
    runner.stop()
  }
}
