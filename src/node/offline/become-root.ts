import { planEpoch } from '../../registry/log/epochs/new-epoch.ts'
import { stayAlive } from '../../runtime/background.ts'
import { systemClock } from '../../runtime/clock-and-logger.ts'
import { dataFiles } from '../config/paths.ts'
import type { Config } from '../config/schema.ts'
import { beginEpoch } from '../root/begin-epoch.ts'
import { type BecomeRootView, becomeRootView } from './become-root-view.ts'
import { type EvidenceInit, type EvidenceOptions, gatherEvidence } from './evidence.ts'
import { dropNote } from './unfinished-network.ts'
import { workStore } from './work-store.ts'

/** With `apply: false` it tells what would be done, from a copy of the store: nothing here is changed, and the process may run. */
export interface BecomeRootInit extends EvidenceInit {
  /** Writes the role to the configuration, with what else a first start here needs. */
  save: (values: { networkId: string; role: 'root' }) => void
  /** A copy of the store for the plan, where the process runs and has made it. */
  copy?: string | undefined
}

/**
 * Makes the node of this configuration the root: gathers the highest verified head from everybody who can be reached, and lets the
 * authority delegate a new log key from there. Its process must be stopped. The signal breaks it off until the new epoch is begun; that
 * comes to its end.
 *
 * @throws ConfigError, StoreInUseError, InvalidPayloadError, the reason of the signal; NotFoundError when nobody who was asked showed the log, and
 * nothing of it is here
 */
export async function becomeRoot(init: BecomeRootInit, options: EvidenceOptions = {}): Promise<BecomeRootView> {
  using _ = stayAlive()
  const { config, apply, epoch, save } = init
  await using store = await workStore(init)
  const evidence = await gatherEvidence(store.path, init, options)
  const { network, authority, nodeKey, keys } = evidence
  const node = { key: nodeKey, name: config.name }
  const wished = { path: store.path, authority, node, ...epoch, clock: systemClock }
  const plan = await planEpoch(wished)
  if (apply) dropNote(config.paths)
  const done = apply ? await beginEpoch(config, wished, keys) : plan
  if (apply) save({ networkId: network, role: 'root' })
  return await becomeRootView(init, evidence, done)
}

/** Path to which `init` wrote the kit, if this is the machine. */
export const kitOf = ({ paths }: Config): string => dataFiles(paths.data).recoveryKit
