import { isRegistryRole } from '../../../identity/role.ts'
import type { Replica } from '../../../registry/log/replica.ts'
import { isMoved } from '../../../registry/log/root-log/root-log.ts'
import { InvalidPayloadError, NotRootError, UnavailableError } from '../../../runtime/errors.ts'
import { ControlInputError } from '../../api/errors.ts'
import type { MovedRootView } from '../../api/process-views.ts'
import { ownStore, rootStoreProblem } from '../../config/field-types/root-store-field.ts'
import { dataFiles } from '../../config/paths.ts'
import type { NetworkNode } from '../../network-node.ts'
import type { NodeContext } from '../../node-context.ts'
import { moveLog } from '../../root/store/move-log.ts'
import { openEngine } from '../../root/store/open-engine.ts'
import { RootSeat } from '../../root/store/root-seat.ts'
import { readAnew } from '../reload.ts'

/** Nothing is taken for so short a look. */
const leaseMs = 3000

/**
 * Moves the log of the root to what the configuration names by now: the process begins anew there. A candidate goes after it. Done once,
 * again it does nothing.
 * @throws ControlInputError for a configuration that names something else; UnavailableError with the reason why nothing has moved
 */
export async function moveRoot(
  node: NodeContext,
  { registry }: NetworkNode,
  { to, plan }: { to: string; plan?: boolean | undefined }
): Promise<MovedRootView> {
  const problem = rootStoreProblem(to)
  if (problem !== undefined) throw new InvalidPayloadError(`${to} ${problem}`)
  const { replica, role } = registry
  if (!isRegistryRole(role)) throw new NotRootError('the log is kept by the root and its candidates: run this there')
  const from = node.seat?.store ?? ownStore
  const isRoot = registry.root !== undefined
  const view = { from, to, isRoot, epoch: replica.head.epoch, head: replica.head.n, there: await logAt(to, replica) }
  if (plan === true) return { ...view, applied: false }
  requireNamed(node, to)
  if (from !== to && isRoot) await move(node, registry, to)
  if (from !== to && !isRoot) await goAfter(node, to)
  return { ...view, applied: true, head: node.attached.registry.replica.head.n }
}

/** Log of this network that a database has. @throws UnavailableError when it does not answer */
export async function logAt(store: string, { networkId }: Replica): Promise<MovedRootView['there']> {
  if (store === ownStore) return null
  await using engine = openEngine({ store, networkId, leaseMs })
  const state = await engine.state()
  if (state === undefined) return null
  const { head, lease } = state
  return { epoch: head.epoch, head: head.n, isMoved: isMoved(lease), holder: lease.holder }
}

/** The next start goes by the configuration. */
function requireNamed({ readConfig }: NodeContext, to: string): void {
  const named = readAnew(readConfig).root.store ?? ownStore
  if (named !== to)
    throw new ControlInputError(`the configuration of this process has root.store: ${named}: write ${to} there first`)
}

async function move(node: NodeContext, { root }: NetworkNode['registry'], to: string): Promise<void> {
  // Store and database are at one head then.
  await root?.checkpoint()
  let failure: Error | undefined
  await node.beginAnew(`its log moves to ${to}`, async () => {
    const before = node.seat
    await before?.pause()
    try {
      const { store } = dataFiles(node.config.paths.data)
      const held = await moveLog(store, { to, holder: node.peerId })
      node.useSeat(held && RootSeat.holding(node, to, held))
      await before?.stop()
    } catch (error) {
      failure = error instanceof Error ? error : new Error(String(error))
      before?.start()
    }
  })
  if (failure !== undefined) throw failure
}

/** Its own store is none that the log is in. */
async function goAfter(node: NodeContext, to: string): Promise<void> {
  const before = node.seat
  if (before?.isHeld === true) throw new UnavailableError('this process becomes the root: ask again in a moment', 1000)
  node.useSeat(RootSeat.of(node, to))
  await before?.stop()
}
