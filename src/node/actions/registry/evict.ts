import type { Registry } from '../../../registry/registry.ts'
import { NotFoundError } from '../../../runtime/errors.ts'
import type { EvictView } from '../../api/registry-views.ts'
import type { NetworkNode } from '../../network-node.ts'
import type { NodeContext } from '../../node-context.ts'
import { whoAsks } from '../../views/operator-names.ts'
import { refOf, wholeMs } from '../../views/refs.ts'

/** Members whose lease has run out here, and who are not called offline because this registry may be cut off itself. */
export function heldBack(node: NodeContext, { registry }: NetworkNode): EvictView {
  requireLeases(node)
  const keys = registry.liveness.heldBack
  const message =
    keys.length === 0
      ? 'nobody is held back: whoever falls silent is called offline when the lease has run out'
      : 'they are called offline when a session answers here; with --confirm at once'
  return viewOf(registry, { keys, evicted: false, message })
}

/** An operator's word that this registry is not cut off: who is held back is offline now, and whoever falls silent within the time of a lease, too. */
export function evict(node: NodeContext, { registry }: NetworkNode): EvictView {
  requireLeases(node)
  const doubt = registry.liveness.doubt
  const keys = registry.liveness.evict()
  if (doubt === undefined && keys.length === 0) {
    return viewOf(registry, { keys, evicted: false, message: 'nobody was held back: nothing was changed' })
  }
  const members = keys.map((key) => refOf(registry, key).name ?? refOf(registry, key).peerId)
  node.logging.logger.warn(
    { by: whoAsks(registry), doubt, members },
    'An operator says that the fault is not here: silent members are called offline'
  )
  return viewOf(registry, {
    keys,
    evicted: true,
    message: 'they are offline now; whoever is there after all is up again with its next heartbeat'
  })
}

/** @throws NotFoundError at an external node */
function requireLeases({ config }: NodeContext): void {
  if (config.role !== 'external') return
  throw new NotFoundError(
    'an external node holds no leases: run this at the registry that `trustnet why PEER` names as the one that says so'
  )
}

const viewOf = (
  registry: Registry,
  { keys, ...said }: { keys: readonly Uint8Array[]; evicted: boolean; message: string }
): EvictView => ({
  doubt: registry.liveness.doubt ?? null,
  members: keys.map((key) => {
    const { state, heardAgeMs, reason } = registry.liveness.view(key)
    return { ...refOf(registry, key), state, heardAgeMs: wholeMs(heardAgeMs), reason }
  }),
  ...said
})
