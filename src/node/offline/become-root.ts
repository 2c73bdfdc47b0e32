import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { planEpoch } from '../../registry/log/epochs/new-epoch.ts'
import { stayAlive } from '../../runtime/background.ts'
import { systemClock } from '../../runtime/clock-and-logger.ts'
import { NotFoundError } from '../../runtime/errors.ts'
import { dataFiles } from '../config/paths.ts'
import type { Config } from '../config/schema.ts'
import { beginEpoch } from '../root/begin-epoch.ts'
import { type BecomeRootView, becomeRootView } from './become-root-view.ts'
import { type EvidenceInit, type EvidenceOptions, gatherEvidence } from './evidence.ts'
import type { Source } from './gather-logs.ts'
import { backUpStopped } from './stopped-store.ts'
import { dropNote } from './unfinished-network.ts'

/** Wishes of the operator for the new epoch. */
export interface EpochWish {
  /** The last entry that counts; default: the highest that anybody can prove. */
  fromN?: number | undefined
  /** Shut the key of the root before out for ever. */
  revokeFormer: boolean
}

/** With `apply: false` it tells what would be done, from a copy of the store: nothing here is changed, and the process may run. */
export interface BecomeRootInit extends EvidenceInit {
  /** Writes the role to the configuration, with what else a first start here needs. */
  save: (values: { networkId: string; role: 'root' }) => void
  /** A copy of the store for the plan, where the process runs and has made it. */
  copy?: string | undefined
  epoch: EpochWish
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
  if (init.apply) return await becomeIn(dataFiles(init.config.paths.data).store, init, options)
  const folder = await mkdtemp(join(tmpdir(), 'trustnet-plan-'))
  try {
    return await becomeIn(await copyFor(init, join(folder, 'registry.db')), init, options)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function becomeIn(store: string, init: BecomeRootInit, options: EvidenceOptions): Promise<BecomeRootView> {
  const { config, apply, epoch, save } = init
  const evidence = await gatherEvidence(store, init, options)
  const { network, authority, nodeKey, keys } = evidence
  const wished = { path: store, authority, node: { key: nodeKey, name: config.name }, ...epoch, clock: systemClock }
  const plan = await planEpoch(wished)
  if (epoch.fromN === undefined) requireShown(plan.fork.n, evidence.sources)
  if (!apply) return await becomeRootView(init, evidence, plan)
  dropNote(config.paths)
  const done = await beginEpoch(config, wished, keys)
  save({ networkId: network, role: 'root' })
  return await becomeRootView(init, evidence, done)
}

/** Refuses to begin before the first entry only because nobody answered in time: every membership would end. @throws NotFoundError */
export function requireShown(forkN: number, sources: readonly Pick<Source, 'address' | 'error'>[]): void {
  if (forkN > 0 || sources.length === 0 || sources.some(({ error }) => error === null)) return
  const why = sources.map(({ address, error }) => `${address}: ${error}`).join('; ')
  throw new NotFoundError(
    `nobody who was asked showed the log (${why}), and this machine has nothing of it: all memberships would end. Try again, name more members with --peer or a copy with --backup; --from 1 begins at the first entry all the same`
  )
}

/** Path for a copy of the store, where there is none yet too. */
async function copyFor({ config, copy, backup }: BecomeRootInit, path: string): Promise<string> {
  if (copy !== undefined) return copy
  const { store } = dataFiles(config.paths.data)
  if (backup === undefined && existsSync(store)) await backUpStopped(config, path)
  return path
}

/** Path to which `init` wrote the kit, if this is the machine. */
export const kitOf = ({ paths }: Config): string => dataFiles(paths.data).recoveryKit
