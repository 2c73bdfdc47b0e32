import { equals } from 'uint8arrays/equals'
import { peerIdText } from '../../../identity/keys.ts'
import { withReplica } from '../../../registry/log/epochs/new-epoch.ts'
import type { Replica } from '../../../registry/log/replica.ts'
import { isMoved } from '../../../registry/log/root-log/root-log.ts'
import type { Registry } from '../../../registry/registry.ts'
import { metaOf } from '../../../registry/store/node-values.ts'
import { reasonOf } from '../../../runtime/error-message.ts'
import { NotRootError } from '../../../runtime/errors.ts'
import { ownStore } from '../../config/field-types/root-store-field.ts'
import type { Config } from '../../config/schema.ts'
import { ConfigError } from '../../errors.ts'
import { openEngine } from './open-engine.ts'
import type { SharedRootLog } from './shared-root-log.ts'

/** Key of the database that keeps the log, as text; missing: the store keeps it. */
const key = 'root-store'

/** For as long as it takes to leave a database. */
const leaseMs = 10_000

/** Store of this machine, which has the whole log. */
export type LocalLog = Pick<Registry, 'meta' | 'replica'>

/** Keeps in the store of a root that a database has the log: a start without it would go on beside another root. */
export async function rememberStore({ meta }: Pick<LocalLog, 'meta'>, store: string): Promise<void> {
  const held = meta.get(key)
  if (held === undefined || Buffer.from(held).toString() !== store) await meta.set(key, Buffer.from(store))
}

/** @throws ConfigError for a root whose log is kept by a database that its configuration does not name; the store is closed then */
export async function requireOwnLog(registry: Registry, config: Config): Promise<void> {
  const { root } = registry
  const { store } = config.root
  const held = root === undefined ? undefined : registry.meta.get(key)
  if (root === undefined || held === undefined) return
  const problem =
    store === ownStore
      ? (elsewhere(registry) ?? (await leaveStore(registry, peerIdText(root.publicKey), ownStore)))
      : named(Buffer.from(held).toString())
  if (problem === undefined) {
    await ownAgain(registry)
    return
  }
  await registry.close()
  throw new ConfigError([problem])
}

/** The store of the root keeps the log from here on. */
export async function ownAgain({ meta }: Pick<LocalLog, 'meta'>): Promise<void> {
  await meta.delete(key)
}

const named = (held: string): string =>
  `the log of this network is kept by ${held}, where another process may be the root: name that as root.store. ` +
  `root.store: ${ownStore} takes the log back into this store`

/**
 * Has the database that keeps the log give its lease to nobody any more, so that the log goes on at `to` alone: a candidate that still names
 * it waits for ever. Done once, again it does nothing. Gives the reason why the log does not move.
 */
export async function leaveStore({ meta, replica }: LocalLog, holder: string, to: string): Promise<string | undefined> {
  const held = meta.get(key)
  const from = held && Buffer.from(held).toString()
  if (from === undefined || from === to) return undefined
  const { networkId } = replica
  try {
    await using engine = openEngine({ store: from, networkId, leaseMs })
    const problem = await leave(engine, replica, { holder, to })
    return problem && `the log stays in ${from}: ${problem}`
  } catch (error) {
    return (
      `the log is in ${from}, where a candidate may go on with it, and that gives no answer: ${reasonOf(error)}. Bring it back; where it is ` +
      'lost for good, give the new one its address, or open a new epoch (trustnet registry promote)'
    )
  }
}

interface Leaving {
  readonly holder: string
  readonly to: string
}

async function leave(engine: SharedRootLog, { head }: Replica, { holder, to }: Leaving): Promise<string | undefined> {
  const there = await engine.state()
  if (there === undefined || there.head.epoch < head.epoch || isMoved(there.lease)) return undefined
  const lease = await engine.acquire(holder)
  if (lease === undefined) return `another process is the root there (${there.lease.holder})`
  // Nobody else appends from here on.
  const now = await engine.state()
  if (now !== undefined && now.head.epoch === head.epoch && equals(now.head.hash, head.hash)) {
    await engine.moveTo(to, lease)
    return undefined
  }
  await engine.release(lease)
  return `it ends there at ${now?.head.n}, and in this store at ${head.n}: start this process with root.store: as it was, so that it has all`
}

/** After the authority has opened an epoch in this store: whatever the database keeps is of an older one. */
export async function forgetStore(path: string): Promise<void> {
  await withReplica({ path }, async ({ ledger }) => await ownAgain({ meta: metaOf(ledger.meta, ledger) }))
}

/** The reason why the log is not taken back into this store: another one has been the root since. */
function elsewhere({ root, replica: { state } }: Registry): string | undefined {
  const last = state.rootRegistry()
  if (root === undefined || last === undefined || equals(last.publicKey, root.publicKey)) return undefined
  const name = state.member(last.publicKey)?.name ?? peerIdText(last.publicKey)
  return (
    `root.store: ${ownStore} takes the log back at the root of today, which is ${name}: do it there, with role: root, or name the ` +
    'database here until this process has taken its place'
  )
}

/** With its process stopped, an entry would go into the store alone, while another process is the root. @throws NotRootError */
export function requireNoDatabase({ root: { store } }: Config): void {
  if (store === undefined || store === ownStore) return
  throw new NotRootError(
    `${store} keeps the log, where another process is the root by now: run this on the machine of the root, while its process runs ` +
      '(`trustnet registry status` names it)'
  )
}
