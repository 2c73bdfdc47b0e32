import { followMembers } from '../member-events.ts'
import type { NodeContext } from '../node-context.ts'
import { type HookEvent, HookRunner } from './hook-runner.ts'

/** Runs the hook of a node for what happens to members, and for each alarm. Gives how to stop. */
export function followHooks(node: NodeContext): () => void {
  const { logger } = node.logging
  const program = (): string | undefined => node.config.hooks.onEvent
  const runner = new HookRunner({ program, timeoutMs: () => node.config.hooks.timeoutMs, logger })
  const run = (happened: Pick<HookEvent, 'event' | 'peer' | 'alarm'>): void => {
    const self = { peerId: node.peerId, name: node.config.name }
    runner.add({ ...happened, at: new Date(node.clock.now()).toISOString(), node: self })
  }
  const stops = [
    followMembers(node, ({ event, peer }) => run({ event, peer, alarm: null })),
    node.events.listen('alarm', ({ code, message }) => run({ event: 'alarm', peer: null, alarm: { code, message } }))
  ]
  return () => {
    for (const stop of stops) stop()
    runner.stop()
  }
}
